import { errorCodeOf } from "../errors/sojourn-error.js";
import type { NodeRef } from "../names.js";
import type { SessionRecord } from "../ports/directory.js";
import { needsStore, type Strategy } from "../strategy/strategy.js";
import type { OwnerStart, SlotPort } from "./role.js";
import { StoreFeed, type StoreFeedSource } from "./store-feed.js";
import { StoreMember } from "./store-member.js";
import { type StrategyCallbacks, StrategyChange } from "./strategy-change.js";

/** The owner, as the keeper of its replica in the session store sees it. */
export interface StoreOwner extends Omit<StoreFeedSource, "onStored" | "onStoreStale"> {
  readonly slot: SlotPort;
  readonly cell: { readonly durability: "strong" | "eventual"; readonly ended: boolean };
  readonly shownUpTo: number;
  /** The record names this node owner at its present epoch. */
  readonly recorded: boolean;
  recordChanged(): void;
  /** Somebody has seen a newer epoch: the directory is asked. */
  verify(): void;
  /** More is durable, or less is waited for: releases may go further. */
  storeChanged(): void;
  /** More copies may be needed, or fewer. */
  checkStandbys(): void;
}

/**
 * Keeps an owned session's replica in the session store, where its strategy has one, and changes the strategy. Under `strong` the store
 * is a member as copies in memory are (StoreMember).
 */
export class StoreKeeper {
  readonly #owner: StoreOwner;
  readonly #member: StoreMember;
  #change: StrategyChange | null = null;
  #stopped = false;

  constructor(owner: StoreOwner) {
    this.#owner = owner;
    this.#member = new StoreMember(owner, {
      live: (record) => this.#live(record),
      impatient: () => {
        this.#change?.cancel("the session store does not answer");
      },
    });
  }

  get #feed(): StoreFeed | null {
    return this.#member.feed;
  }

  /**
   * Begins to feed the store, as the session's record has it. [12] Under `strong` releases wait for the store from the first turn on: it
   * may be in-sync on record, and is to be.
   */
  begin(cause: OwnerStart["cause"]): void {
    const owner = this.#owner;
    const { strategy, stored } = owner.slot.cas.record ?? { strategy: "replica", stored: false };
    const feed = this.#open(strategy);
    if (feed === null) return;
    feed.waited = strategy === "hybrid" && owner.cell.durability === "strong";
    feed.recorded = owner.recorded && stored;
    if (cause.kind === "created") feed.startFresh();
    else if (cause.kind === "restored") feed.startAt(cause.logTurns, cause.logBytes, cause.baseBytes);
    else feed.startProbing();
    this.#member.review();
  }

  /** Gives the session the feed that this strategy needs, in place of another kind of feed; the caller starts it. */
  #open(strategy: Strategy): StoreFeed | null {
    this.#close();
    const { store } = this.#owner.slot.host;
    if (!needsStore(strategy) || store === null) return null;
    const feed = new StoreFeed(this.#source(), store, strategy === "hybrid");
    this.#member.feed = feed;
    return feed;
  }

  #close(): void {
    this.#feed?.stop();
    this.#member.feed = null;
  }

  #source(): StoreFeedSource {
    const owner = this.#owner;
    const { key, log } = owner;
    return {
      key,
      host: owner.slot.host,
      log,
      get epoch() {
        return owner.epoch;
      },
      get version() {
        return owner.version;
      },
      get hash() {
        return owner.hash;
      },
      get stateVersion() {
        return owner.stateVersion;
      },
      get busy() {
        return owner.busy;
      },
      snapshot: () => owner.snapshot(),
      onStored: () => this.#onStored(),
      onStoreStale: () => {
        if (!this.#stopped) owner.verify();
      },
    };
  }

  // ---- what the owner asks ----

  /** Whether every turn's delta is needed. */
  get logs(): boolean {
    return this.#feed?.logs === true;
  }

  /** Up to where releases may go as far as the store is concerned; null when they do not wait for it. */
  get bound(): number | null {
    return this.#member.bound;
  }

  /** How the store stands with the session: `away` while that goes on without it, though it is to keep it. */
  get state(): "none" | "kept" | "behind" | "away" {
    const feed = this.#feed;
    if (feed === null) return "none";
    if (this.#member.away || this.#member.left) return "away";
    return feed.acked < this.#owner.version ? "behind" : "kept";
  }

  /** For how long at most the store has lacked something of what happened; 0 when it has everything, or is to have nothing. */
  get behindMs(): number {
    return this.#feed?.behindMs ?? 0;
  }

  /** For how long at most the store had not heard what the owner before did, while it took what it was given. */
  get stalenessMs(): number {
    const { limits } = this.#owner.slot.host;
    return this.logs ? limits.storeTimeoutMs : limits.snapshotIntervalMs + limits.copyTimeoutMs;
  }

  /** The strategy that the session is being given; null when it keeps the one that it has. */
  get changingTo(): Strategy | null {
    return this.#change?.to ?? null;
  }

  /** No turn runs any more: the store is to have all of the session in one base. `done` once it has, or is not to. */
  finish(done: () => void): void {
    if (this.#feed === null) done();
    else this.#feed.finish(done);
  }

  onTurn(): void {
    this.#feed?.onTurn();
    this.#member.onTurn();
  }

  onQuiet(): void {
    this.#feed?.onQuiet();
  }

  /** The record as it stands now names this node owner. */
  adopt(record: SessionRecord): void {
    if (this.#feed !== null) this.#feed.recorded = record.stored;
    this.#member.review();
    this.#change?.check();
  }

  /** The owner goes on in a newer epoch. */
  newEpoch(): void {
    this.#feed?.startProbing();
  }

  #onStored(): void {
    if (this.#stopped) return;
    this.#owner.storeChanged();
    if (this.#stopped) return;
    this.#member.review();
    this.#change?.check();
  }

  // ---- copies ----

  /** Copies in memory that the session is to have, apart from one that a hand-over needs. */
  wantedStandbys({ strategy, stored }: SessionRecord): number {
    const { host, key } = this.#owner.slot;
    const asked = host.factoryOf(key)?.standbys ?? null;
    if (strategy === "replica" || this.#change?.to === "replica") return this.#copiesOfReplica(asked);
    // [8] Under `strong` somebody has to be in-sync while the store is not.
    const alone = strategy === "hybrid" && this.#owner.cell.durability === "strong" && (!stored || this.#member.away);
    return Math.max(alone ? 1 : 0, asked ?? 0);
  }

  #copiesOfReplica(asked: number | null): number {
    const wanted = asked ?? this.#owner.slot.host.limits.standbys;
    return this.#change?.to === "replica" && this.#owner.cell.durability === "strong" ? Math.max(1, wanted) : wanted;
  }

  /** Whether copies beyond those that are wanted may go: what the strategy keeps instead is there. */
  mayDrop({ strategy, stored }: SessionRecord): boolean {
    return this.#change === null && (stored || (needsStore(strategy) && this.#owner.cell.durability === "eventual"));
  }

  #live(record: SessionRecord): readonly NodeRef[] {
    const { host } = this.#owner.slot;
    return record.inSync.filter((ref) => !host.isEnded(ref) && host.suspicionOf(ref) === "none");
  }

  /** As many as are wanted, or as can be had. */
  #copiesNeeded(): number {
    const { host, key } = this.#owner.slot;
    const wanted = this.#copiesOfReplica(host.factoryOf(key)?.standbys ?? null);
    const least = this.#owner.cell.durability === "strong" ? 1 : 0;
    return Math.max(least, Math.min(wanted, host.rankStandbys(key).length));
  }

  // ---- changing the strategy ----

  /** Gives the session another strategy while it runs on. One change at a time: a newer one takes the place of one that can still be given up. */
  change(to: Strategy, callbacks: StrategyCallbacks): void {
    const owner = this.#owner;
    const { host, cas } = owner.slot;
    const { record } = cas;
    if (owner.cell.ended || record === null || this.#stopped) {
      callbacks.failed("E_STRATEGY_FAILED", "the session has ended");
      return;
    }
    if (to === "snapshot" && owner.cell.durability === "strong") {
      callbacks.failed(
        "E_STRATEGY_INVALID",
        `"snapshot" cannot have durability "strong": a turn would wait for a whole snapshot; "hybrid" can`,
      );
      return;
    }
    if (needsStore(to) && host.store === null) {
      callbacks.failed("E_STRATEGY_INVALID", `"${to}" needs a session store; the node has none`);
      return;
    }
    if (this.#change?.cancel("another change was asked for") === false) {
      callbacks.failed("E_STRATEGY_FAILED", "the session is just being given another strategy");
      return;
    }
    if (record.strategy === to) {
      callbacks.changed({ from: to, to, changed: false, tookMs: 0 });
      return;
    }
    if (needsStore(to) && (this.#feed === null || (to === "hybrid" && !this.#feed.logs))) {
      const feed = this.#open(to);
      if (to === "hybrid") feed?.startProbing();
      else feed?.startFresh();
    }
    this.#begin(record.strategy, to, callbacks);
  }

  #begin(from: Strategy, to: Strategy, callbacks: StrategyCallbacks): void {
    const keeper = this;
    const owner = this.#owner;
    const change = new StrategyChange(
      owner,
      {
        get feed() {
          return keeper.#feed;
        },
        strong: owner.cell.durability === "strong",
        get copies() {
          return keeper.#copiesNeeded();
        },
        live: (record) => this.#live(record),
        ended: (record) => this.#changeEnded(record),
      },
      from,
      to,
      callbacks,
    );
    this.#change = change;
    owner.checkStandbys();
    change.check();
  }

  /** The session is kept as its record says, whether the change was made or given up. */
  #changeEnded(record: SessionRecord | null): void {
    this.#change = null;
    const owner = this.#owner;
    if (record === null || this.#stopped) return;
    if (!needsStore(record.strategy)) {
      this.#close();
    } else if (this.#feed === null || this.#feed.logs !== (record.strategy === "hybrid")) {
      this.#open(record.strategy)?.startProbing();
    }
    if (this.#feed !== null) this.#feed.recorded = record.stored;
    this.#member.review();
    owner.storeChanged();
    owner.recordChanged();
    owner.checkStandbys();
  }

  /** The session's tombstone is durable; what the store still has is of no use, and is never taken for a later session of this key. */
  empty(): void {
    if (this.#feed === null) return;
    this.#close();
    const { key, epoch } = this.#owner;
    const { host } = this.#owner.slot;
    host.store?.remove(key, epoch).catch((error: unknown) => {
      host.onIncident(key, errorCodeOf(error), "what the session store holds of an ended session was not removed");
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#feed?.stop();
    this.#member.stop();
    this.#change?.stop();
  }
}
