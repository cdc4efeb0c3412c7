import type { NodeRef } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import type { Strategy } from "../strategy/strategy.js";
import { changeStrategy } from "./drafts.js";
import type { SlotPort } from "./role.js";
import type { StoreFeed } from "./store-feed.js";

/** How a change of strategy ended well. */
export interface StrategyReport {
  readonly from: Strategy;
  readonly to: Strategy;
  /** False: it had that strategy already. */
  readonly changed: boolean;
  readonly tookMs: number;
}

/** How a change of strategy ends for who asked for it; one of them is called, once. */
export interface StrategyCallbacks {
  readonly changed: (report: StrategyReport) => void;
  readonly failed: (code: "E_STRATEGY_INVALID" | "E_STRATEGY_FAILED", message: string) => void;
}

/** The owner, as a change of its strategy sees it. */
export interface ChangingOwner {
  readonly slot: SlotPort;
  readonly epoch: number;
  readonly version: number;
  readonly shownUpTo: number;
  /** The record names this node owner at its present epoch. */
  readonly recorded: boolean;
}

/** What the keeper of the store does for a change. */
export interface ChangePorts {
  /** The present feed of the store; null when the session is to have none. */
  readonly feed: StoreFeed | null;
  /** Output waits for durable acknowledgements, so that the store is a member as copies are. */
  readonly strong: boolean;
  /** Copies in memory that the session is to have before it may do without the store. */
  readonly copies: number;
  /** Those of them that can be counted on. */
  live(record: SessionRecord): readonly NodeRef[];
  /** It is over; the record stands as given. */
  ended(record: SessionRecord | null): void;
}

type Phase = "preparing" | "writing" | "over";

/**
 * One change of an owned session's strategy. What is to keep the session from then on holds it first [2], then one write says so, and
 * only then what kept it before is let go [3]; so there is no moment at which less keeps it than before or after. Until the write it can
 * be given up, and nothing has changed then.
 */
export class StrategyChange {
  readonly to: Strategy;
  readonly #owner: ChangingOwner;
  readonly #ports: ChangePorts;
  readonly #callbacks: StrategyCallbacks;
  readonly #from: Strategy;
  readonly #startedAtMs: number;
  /** What was there when it began is held once this version is. */
  readonly #since: number;
  readonly #deadline: Scheduled;
  #late = false;
  #phase: Phase = "preparing";
  /** What may have been released when the store began to be waited for. */
  #waitedAt: number | null = null;

  constructor(owner: ChangingOwner, ports: ChangePorts, from: Strategy, to: Strategy, callbacks: StrategyCallbacks) {
    this.to = to;
    this.#owner = owner;
    this.#ports = ports;
    this.#callbacks = callbacks;
    this.#from = from;
    this.#since = owner.version;
    const { clock, limits } = owner.slot.host;
    this.#startedAtMs = clock.now();
    this.#deadline = clock.schedule(limits.strategyTimeoutMs, () => {
      this.#late = true;
      this.cancel(this.#lacks());
    });
  }

  /** Looks whether the next step can be made: something is durable, a copy has come in, the record has changed. */
  check(): void {
    const owner = this.#owner;
    const { record } = owner.slot.cas;
    // A hand-over that is under way comes to its end first.
    if (this.#phase !== "preparing" || !owner.recorded || record === null || record.heir !== null) return;
    if (this.to === "replica") {
      if (this.#ports.live(record).length >= this.#ports.copies) this.#write(false);
    } else if (this.#isHeld()) {
      this.#write(this.to === "hybrid" && this.#ports.strong);
    }
  }

  /** The store holds the session, as the strategy that is to come has it. */
  #isHeld(): boolean {
    const { feed, strong } = this.#ports;
    if (feed === null) return false;
    if (this.to === "snapshot") return feed.logs || feed.acked >= this.#since;
    if (!feed.following || feed.acked < this.#since) return false;
    if (!strong) return true;
    // [2] First it is waited for, then brought up to all that was released before that.
    if (this.#waitedAt === null) {
      feed.waited = true;
      this.#waitedAt = this.#owner.shownUpTo;
    }
    return feed.acked >= this.#waitedAt;
  }

  #lacks(): string {
    const { record } = this.#owner.slot.cas;
    if (record !== null && record.heir !== null) return "the hand-over that is under way has not come to its end";
    if (this.to === "replica") return `not enough copies are in-sync: ${this.#ports.copies} are needed`;
    return "the session store has not taken the session up in time";
  }

  #write(stored: boolean): void {
    this.#phase = "writing";
    const owner = this.#owner;
    const { host, cas } = owner.slot;
    const to = { strategy: this.to, stored };
    const copies = this.to === "replica" ? this.#ports.copies : 0;
    cas.submit(
      (record) => (record === null ? null : changeStrategy(record, host.self, owner.epoch, to, copies)),
      ({ outcome, record }) => {
        if (this.#phase !== "writing") return;
        if (outcome === "applied") {
          this.#end(record);
          this.#callbacks.changed({ from: this.#from, to: this.to, changed: true, tookMs: host.clock.now() - this.#startedAtMs });
        } else {
          // A copy has left, or a hand-over has begun. Whoever has taken the session over ends this role.
          this.#phase = "preparing";
          if (this.#late) this.cancel(this.#lacks());
        }
      },
    );
  }

  /** Gives the change up, unless the write that makes it may be carried out. @returns whether it is over */
  cancel(why: string): boolean {
    if (this.#phase === "writing") return false;
    if (this.#phase === "over") return true;
    this.#end(this.#owner.slot.cas.record);
    this.#callbacks.failed("E_STRATEGY_FAILED", why);
    return true;
  }

  #end(record: SessionRecord | null): void {
    this.#phase = "over";
    this.#deadline.cancel();
    this.#ports.ended(record);
  }

  /** The owner's role ends; a write that is under way may still be carried out, and then the next owner goes by it. */
  stop(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#deadline.cancel();
    this.#callbacks.failed("E_STRATEGY_FAILED", "the session has left its node");
  }
}
