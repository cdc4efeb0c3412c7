import { LogHistogram, type SessionKey } from "@sojourn/core";
import type { SessionReport } from "./reports.js";

/** Enough for one session: a value is known to a half. */
const PRECISION = 1;
const US_PER_MS = 1e3;

/** What is kept of one of the busiest sessions. Its size is fixed. */
export class SessionDetails {
  readonly key: SessionKey;
  readonly deltaBytes = new LogHistogram(PRECISION);
  readonly #turnRate = new LogHistogram(PRECISION);
  readonly #blackoutUs = new LogHistogram(PRECISION);
  #turnsPerSec = 0;
  #stateBytes = 0;
  #moves = 0;
  #idleWindows = 0;

  constructor(key: SessionKey) {
    this.key = key;
  }

  get turnsPerSec(): number {
    return this.#turnsPerSec;
  }

  /** Windows without a turn here. */
  get idleWindows(): number {
    return this.#idleWindows;
  }

  /** A window with turns has ended. */
  busy(turnsPerSec: number, stateBytes: number): void {
    this.#turnsPerSec = turnsPerSec;
    this.#turnRate.record(turnsPerSec * 1_000);
    if (stateBytes > 0) this.#stateBytes = stateBytes;
    this.#idleWindows = -1;
  }

  /** A window has ended, whether there were turns or not. */
  turnOver(): void {
    this.#idleWindows++;
    if (this.#idleWindows > 0) this.#turnsPerSec = 0;
  }

  moved(blackoutMs: number): void {
    this.#moves++;
    this.#blackoutUs.record(blackoutMs * US_PER_MS);
  }

  report(node: string): SessionReport {
    return {
      session: this.key,
      node,
      turnsPerSec: this.#turnsPerSec,
      stateBytes: this.#stateBytes === 0 ? null : this.#stateBytes,
      moves: this.#moves,
      deltaBytes: this.deltaBytes.data(),
      turnsPerSecOverTime: this.#turnRate.data(1e-3),
      blackoutMs: this.#blackoutUs.data(1 / US_PER_MS),
    };
  }
}
