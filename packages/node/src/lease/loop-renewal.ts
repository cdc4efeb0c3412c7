import type { Clock, Directory, Limits, NodeRef } from "@sojourn/core";
import { type Lease, type LeaseBook, type LeaseEvents, type LeaseRenewal, RENEWALS_PER_LEASE, SAFE_SHARE } from "./lease.js";
import { LeaseGuard } from "./lease-guard.js";
import { RenewalLoop } from "./renewal-loop.js";

class LocalBook implements LeaseBook {
  #untilMs: number;
  #ended = false;

  constructor(untilMs: number) {
    this.#untilMs = untilMs;
  }

  validUntilMs(): number {
    return this.#untilMs;
  }
  extend(untilMs: number): void {
    if (untilMs > this.#untilMs) this.#untilMs = untilMs;
  }
  get ended(): boolean {
    return this.#ended;
  }
  end(): void {
    this.#ended = true;
  }
}

/**
 * Renews over the node's own handle of the directory, on the node's own event loop: for a directory in the same process, and for
 * simulated time. Whatever holds the loop up holds the renewals up too.
 */
export class LoopRenewal implements LeaseRenewal {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #ttlMs: number;

  constructor(directory: Directory, clock: Clock, limits: Limits) {
    this.#directory = directory;
    this.#clock = clock;
    this.#ttlMs = limits.leaseTtlMs;
  }

  async open(): Promise<void> {
    // The directory is there already.
  }

  begin(ref: NodeRef, sentAtMs: number, events: LeaseEvents): Lease {
    const ttlMs = this.#ttlMs;
    const book = new LocalBook(sentAtMs + ttlMs * SAFE_SHARE);
    const guard = new LeaseGuard(this.#clock, book, ttlMs / RENEWALS_PER_LEASE, events);
    const loop = new RenewalLoop({
      clock: this.#clock,
      ttlMs,
      ref,
      book,
      renew: (who) => this.#directory.renew(who),
      mayRenew: () => true,
      changed: () => guard.look(),
    });
    return {
      valid: () => guard.valid(),
      stop() {
        loop.stop();
        guard.stop();
      },
    };
  }

  async close(): Promise<void> {
    // Nothing is kept between two leases.
  }
}
