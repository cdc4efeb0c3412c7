import { errorCodeOf } from "../errors/sojourn-error.js";
import type { SessionRecord } from "../ports/directory.js";
import { joinStore } from "./drafts.js";
import type { OwnerStart, SlotPort } from "./role.js";
import { StoreFeed, type StoreFeedSource } from "./store-feed.js";

/** The owner, as the keeper of its replica in the session store sees it. */
export interface StoreOwner extends Omit<StoreFeedSource, "onStored" | "onStoreStale"> {
  readonly slot: SlotPort;
  readonly cell: { readonly durability: "strong" | "eventual" };
  readonly released: number;
  /** The record names this node owner at its present epoch. */
  readonly recorded: boolean;
  recordChanged(): void;
  /** Somebody has seen a newer epoch: the directory is asked. */
  verify(): void;
  /** More is durable: releases may go further. */
  storeChanged(): void;
}

/** Keeps an owned session's replica in the session store, where its strategy has one, and has it recorded as in-sync [2]. */
export class StoreKeeper {
  readonly #owner: StoreOwner;
  #feed: StoreFeed | null = null;
  #joining = false;
  #stopped = false;

  constructor(owner: StoreOwner) {
    this.#owner = owner;
  }

  /**
   * Begins to feed the store, as the session's record has it. [12] Under `strong` releases wait for the store from the first turn on: it
   * may be in-sync on record, and is to be.
   */
  begin(cause: OwnerStart["cause"]): void {
    const owner = this.#owner;
    const { host, cas } = owner.slot;
    const { strategy, stored } = cas.record ?? { strategy: "replica", stored: false };
    if (strategy === "replica" || host.store === null) return;
    const { key, log } = owner;
    const source: StoreFeedSource = {
      key,
      host,
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
    const feed = new StoreFeed(source, host.store, strategy === "hybrid");
    this.#feed = feed;
    feed.waited = strategy === "hybrid" && owner.cell.durability === "strong";
    feed.recorded = owner.recorded && stored;
    if (cause.kind === "created") feed.startFresh();
    else if (cause.kind === "restored") feed.startAt(cause.logTurns, cause.logBytes);
    else feed.startProbing();
  }

  /** Whether every turn's delta is needed. */
  get logs(): boolean {
    return this.#feed?.logs === true;
  }

  /** Up to where releases may go as far as the store is concerned; null when they do not wait for it. */
  get bound(): number | null {
    return this.#feed?.waited === true ? this.#feed.acked : null;
  }

  /** For how long at most the store had not heard what the owner before did, while it took what it was given. */
  get stalenessMs(): number {
    const { limits } = this.#owner.slot.host;
    return this.logs ? limits.storeTimeoutMs : limits.snapshotIntervalMs + limits.copyTimeoutMs;
  }

  onTurn(): void {
    this.#feed?.onTurn();
  }

  onQuiet(): void {
    this.#feed?.onQuiet();
  }

  /** The record as it stands now names this node owner. */
  adopt(record: SessionRecord): void {
    if (this.#feed === null) return;
    this.#feed.recorded = record.stored;
    this.#join();
  }

  /** The owner goes on in a newer epoch. */
  newEpoch(): void {
    this.#feed?.startProbing();
  }

  #onStored(): void {
    if (this.#stopped) return;
    this.#owner.storeChanged();
    this.#join();
  }

  /** [2] Once the store holds all that was released it is recorded as in-sync. */
  #join(): void {
    const feed = this.#feed;
    const owner = this.#owner;
    if (feed === null || !feed.waited || feed.recorded || this.#joining || !owner.recorded || this.#stopped) return;
    if (feed.acked < owner.released) return;
    this.#joining = true;
    const { host, cas } = owner.slot;
    cas.submit(
      (record) => (record === null ? null : joinStore(record, host.self, owner.epoch)),
      ({ record }) => {
        this.#joining = false;
        if (this.#stopped || record === null || record.owner !== host.self || record.epoch !== owner.epoch) return;
        feed.recorded = record.stored;
        owner.recordChanged();
      },
    );
  }

  /** Copies in memory that the session is to have, apart from one that a hand-over needs. */
  wantedStandbys({ strategy, stored }: SessionRecord): number {
    const { host, key } = this.#owner.slot;
    const asked = host.factoryOf(key)?.standbys ?? null;
    if (strategy === "replica") return asked ?? host.limits.standbys;
    // [8] Under `strong` somebody has to be in-sync while the store is not.
    const alone = strategy === "hybrid" && this.#owner.cell.durability === "strong" && !stored;
    return Math.max(alone ? 1 : 0, asked ?? 0);
  }

  /** The session's tombstone is durable; what the store still has is of no use, and is never taken for a later session of this key. */
  empty(): void {
    if (this.#feed === null) return;
    this.#feed.stop();
    this.#feed = null;
    const { key, epoch } = this.#owner;
    const { host } = this.#owner.slot;
    host.store?.remove(key, epoch).catch((error: unknown) => {
      host.onIncident(key, errorCodeOf(error), "what the session store holds of an ended session was not removed");
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#feed?.stop();
  }
}
