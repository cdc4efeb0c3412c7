import type { Clock, Scheduled } from "../ports/clock.js";
import type { Random } from "../ports/random.js";

/** Pauses between attempts of one thing, doubling while it fails; one pause at a time. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #firstMs: number;
  #failures = 0;
  #pause: Scheduled | null = null;

  constructor(clock: Clock, random: Random, firstMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#firstMs = firstMs;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  get pausing(): boolean {
    return this.#pause !== null;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** It failed: it is tried again after a pause. */
  failed(again: () => void): void {
    if (this.#pause !== null) return;
    const ms = this.#firstMs * Math.min(2 ** this.#failures, 64) * (0.5 + this.#random.next());
    this.#failures++;
    this.#pause = this.#clock.schedule(ms, () => {
      this.#pause = null;
      again();
    });
  }

  /** Nothing is tried again. */
  cancel(): void {
    this.#pause?.cancel();
    this.#pause = null;
  }
}
