import type { Clock, Scheduled } from "@sojourn/core";
import type { Lease, LeaseBook, LeaseEvents } from "./lease.js";

/**
 * The node's own check of its lease [10]: on the monotonic clock, from the sending of the last renewal that succeeded. Once it was seen
 * to have run out it stays so until the node has been told that it holds again, so that what stopped because of it is started again.
 */
export class LeaseGuard implements Lease {
  readonly #clock: Clock;
  readonly #book: LeaseBook;
  readonly #events: LeaseEvents;
  readonly #retryMs: number;
  /** As read from the book the last time; the book may know of a later one. */
  #validUntilMs: number;
  #lapse: "none" | "seen" | "told" = "none";
  #over = false;
  #alarm: Scheduled;

  /** @param retryMs pause between looks into the book while the lease has run out */
  constructor(clock: Clock, book: LeaseBook, retryMs: number, events: LeaseEvents) {
    this.#clock = clock;
    this.#book = book;
    this.#retryMs = retryMs;
    this.#events = events;
    this.#validUntilMs = book.validUntilMs();
    this.#alarm = this.#armAt(this.#validUntilMs);
  }

  valid(): boolean {
    if (this.#over || this.#lapse !== "none" || this.#book.ended) return false;
    const nowMs = this.#clock.now();
    if (nowMs < this.#validUntilMs) return true;
    this.#validUntilMs = this.#book.validUntilMs();
    if (nowMs < this.#validUntilMs) return true;
    this.#lapse = "seen";
    this.#alarm.cancel();
    this.#alarm = this.#armAt(nowMs);
    return false;
  }

  /** The book has changed in a way that the node should know of. */
  look(): void {
    if (this.#over) return;
    this.#alarm.cancel();
    if (this.#book.ended) {
      this.#over = true;
      this.#events.ended();
      return;
    }
    this.#validUntilMs = this.#book.validUntilMs();
    const nowMs = this.#clock.now();
    if (nowMs < this.#validUntilMs) {
      this.#alarm = this.#armAt(this.#validUntilMs);
      if (this.#lapse === "none") return;
      this.#lapse = "none";
      this.#events.resumed();
      return;
    }
    this.#alarm = this.#armAt(nowMs + this.#retryMs);
    if (this.#lapse === "told") return;
    this.#lapse = "told";
    this.#events.lapsed();
  }

  stop(): void {
    this.#over = true;
    this.#alarm.cancel();
  }

  #armAt(dueMs: number): Scheduled {
    return this.#clock.schedule(Math.max(0, dueMs - this.#clock.now()), () => this.look());
  }
}
