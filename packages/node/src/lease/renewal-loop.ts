import type { Clock, NodeRef, Scheduled } from "@sojourn/core";
import { type LeaseBook, RENEWALS_PER_LEASE, SAFE_SHARE } from "./lease.js";

/** What a loop runs on. */
export interface RenewalLoopOptions {
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly ref: NodeRef;
  readonly book: LeaseBook;
  renew(ref: NodeRef): Promise<"renewed" | "ended">;
  /** Whether the node is still there for what it would be renewed for. */
  mayRenew(): boolean;
  /** The book has changed. */
  changed(): void;
}

/**
 * Asks the directory several times within each lease to renew it, and writes into the book what came of it. What is not answered is
 * simply asked again at the next interval; the book says when that is too late.
 */
export class RenewalLoop {
  readonly #options: RenewalLoopOptions;
  #timer: Scheduled;
  #over = false;

  constructor(options: RenewalLoopOptions) {
    this.#options = options;
    // One interval after what is in the book was sent; at once when somebody else has begun with this lease and could not go on.
    const { clock, book, ttlMs } = options;
    const sentAtMs = book.validUntilMs() - ttlMs * SAFE_SHARE;
    this.#timer = this.#arm(Math.max(0, sentAtMs + ttlMs / RENEWALS_PER_LEASE - clock.now()));
  }

  stop(): void {
    this.#over = true;
    this.#timer.cancel();
  }

  #arm(delayMs: number): Scheduled {
    const { clock, ttlMs, mayRenew } = this.#options;
    return clock.schedule(delayMs, () => {
      this.#timer = this.#arm(ttlMs / RENEWALS_PER_LEASE);
      if (mayRenew()) this.#renew();
    });
  }

  #renew(): void {
    const { clock, book, ref, ttlMs, renew, changed } = this.#options;
    const sentAtMs = clock.now();
    renew(ref).then(
      (outcome) => {
        if (this.#over) return;
        if (outcome === "ended") {
          this.stop();
          book.end();
        } else book.extend(sentAtMs + ttlMs * SAFE_SHARE);
        changed();
      },
      () => undefined, // asked again at the next interval
    );
  }
}
