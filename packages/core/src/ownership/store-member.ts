import type { NodeRef } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import { joinStore, leaveStore } from "./drafts.js";
import type { SlotPort } from "./role.js";
import type { StoreFeed } from "./store-feed.js";

/** The owner, as the place of the store among its members needs it. */
export interface MemberOwner {
  readonly slot: SlotPort;
  readonly cell: { readonly durability: "strong" | "eventual" };
  readonly epoch: number;
  readonly version: number;
  readonly shownUpTo: number;
  /** The record names this node owner at its present epoch. */
  readonly recorded: boolean;
  recordChanged(): void;
  storeChanged(): void;
  checkStandbys(): void;
}

/** What else is to be known. */
export interface MemberPorts {
  /** Copies on record that can be counted on. */
  live(record: SessionRecord): readonly NodeRef[];
  /** The store that is waited for does not answer. */
  impatient(): void;
}

/** Each time that a store which had come back fails again it has to stay good for longer, up to so many doublings. */
const MAX_DOUBLINGS = 5;
/** Having been a member for so many times its patience, a store counts as good again. */
const GOOD_AFTER = 16;

/**
 * The session store's place among the in-sync members of a `strong` session with the strategy `hybrid` [2, 3]. One that does not answer
 * is dropped from the record once a copy in memory is in-sync, asked for if there is none, and joins again when it answers. With nobody
 * in-sync output waits for the store.
 */
export class StoreMember {
  /** Null while the session has none. */
  feed: StoreFeed | null = null;
  readonly #owner: MemberOwner;
  readonly #ports: MemberPorts;
  /** A write that changes the store's place is under way. */
  #writing = false;
  /** It has not answered, and the session is to go on without it. */
  #away = false;
  /** What may have been released when it began to be waited for, on its way in. */
  #waitedAt: number | null = null;
  #patience: Scheduled | null = null;
  #ackedBefore = -1;
  #returning: Scheduled | null = null;
  #leaves = 0;
  #joinedAtMs = 0;
  #stopped = false;

  constructor(owner: MemberOwner, ports: MemberPorts) {
    this.#owner = owner;
    this.#ports = ports;
  }

  /** Whether the session is to go on without the store. */
  get away(): boolean {
    return this.#away;
  }

  /** Whether the record says that it is not in-sync, though it is to be. */
  get left(): boolean {
    const { record } = this.#owner.slot.cas;
    return this.feed !== null && record !== null && !record.stored && this.#isMember(record);
  }

  /** Up to where releases may go as far as the store is concerned; null when they do not wait for it. */
  get bound(): number | null {
    const { feed } = this;
    if (feed === null) return null;
    if (feed.waited) return feed.acked;
    const { record } = this.#owner.slot.cas;
    return record !== null && record.inSync.length === 0 && this.#isMember(record) ? feed.acked : null;
  }

  #isMember(record: SessionRecord): boolean {
    return record.strategy === "hybrid" && this.#owner.cell.durability === "strong";
  }

  /** There is a new turn. */
  onTurn(): void {
    if (this.#patience === null && this.feed?.waited === true) this.#watch();
  }

  /** One look per patience, however many turns there are. */
  #watch(): void {
    const { clock, limits } = this.#owner.slot.host;
    const { feed } = this;
    if (feed === null || this.#stopped) return;
    this.#ackedBefore = feed.acked;
    this.#patience = clock.schedule(limits.storePatienceMs, () => {
      this.#patience = null;
      const { feed } = this;
      if (this.#stopped || feed === null || !feed.waited || feed.acked >= this.#owner.version) return;
      if (feed.acked === this.#ackedBefore) this.#impatient(feed);
      if (this.#patience === null) this.#watch();
    });
  }

  #impatient(feed: StoreFeed): void {
    this.#ports.impatient();
    const owner = this.#owner;
    const { record } = owner.slot.cas;
    if (this.feed !== feed || record === null || !owner.recorded || !this.#isMember(record)) return;
    this.#away = true;
    // On its way in, and no write names it.
    if (!record.stored && !this.#writing) this.#left(feed);
    owner.checkStandbys();
    this.review();
  }

  /** Looks whether its place can be, or has to be, changed. */
  review(): void {
    const owner = this.#owner;
    const { feed } = this;
    const { host, cas } = owner.slot;
    const { record } = cas;
    if (feed === null || record === null || this.#writing || !owner.recorded || this.#stopped || !this.#isMember(record)) return;
    if (record.stored) {
      if (this.#away && feed.acked >= owner.version) this.#away = false;
      if (this.#away && this.#ports.live(record).length > 0) this.#leave(feed);
      return;
    }
    if (this.#returning !== null) return;
    if (!feed.following || feed.failures > 0) {
      this.#unwait(feed);
      return;
    }
    // [2] First it is waited for, then brought up to all that was released before that, then recorded.
    if (!feed.waited || this.#waitedAt === null) {
      feed.waited = true;
      this.#waitedAt = owner.shownUpTo;
      this.onTurn();
    }
    if (feed.acked < this.#waitedAt) return;
    this.#submit(feed, (now) => joinStore(now, host.self, owner.epoch));
  }

  /** [3] No write names it, nor can one be under way. */
  #unwait(feed: StoreFeed): void {
    this.#waitedAt = null;
    if (!feed.waited) return;
    feed.waited = false;
    this.#owner.storeChanged();
  }

  #leave(feed: StoreFeed): void {
    const { host } = this.#owner.slot;
    this.#submit(feed, (now) => leaveStore(now, host.self, this.#owner.epoch));
  }

  #submit(feed: StoreFeed, change: (record: SessionRecord) => ReturnType<typeof joinStore>): void {
    const owner = this.#owner;
    const { host, cas, key } = owner.slot;
    this.#writing = true;
    cas.submit(
      (record) => (record === null ? null : change(record)),
      ({ outcome, record }) => {
        this.#writing = false;
        if (this.#stopped || this.feed !== feed || record === null || record.owner !== host.self || record.epoch !== owner.epoch) return;
        feed.recorded = record.stored;
        if (outcome === "applied" && record.stored) {
          this.#away = false;
          this.#waitedAt = null;
          this.#joinedAtMs = host.clock.now();
        } else if (outcome === "applied") {
          host.onIncident(key, "E_STORE_AWAY", `the session goes on over ${record.inSync.join(", ")}`);
          this.#left(feed);
        }
        owner.recordChanged();
        owner.checkStandbys();
      },
    );
  }

  /** It is not waited for any more, and may come back when it has answered for a while. */
  #left(feed: StoreFeed): void {
    const { clock, limits } = this.#owner.slot.host;
    if (clock.now() - this.#joinedAtMs > limits.storePatienceMs * GOOD_AFTER) this.#leaves = 0;
    const pauseMs = limits.storePatienceMs * 2 ** Math.min(this.#leaves, MAX_DOUBLINGS);
    this.#leaves++;
    this.#unwait(feed);
    this.#returning ??= clock.schedule(pauseMs, () => {
      this.#returning = null;
      this.review();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#patience?.cancel();
    this.#returning?.cancel();
  }
}
