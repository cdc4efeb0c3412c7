import type { HuntOptions } from "./options.js";
import type { Totals } from "./totals.js";

const EVERY_MS = 10_000;
const EVERY_MS_ON_TERMINAL = 250;

/** Tells people how far a hunt is: on a terminal in one line that changes, elsewhere in a line now and then. */
export class Progress {
  readonly #options: HuntOptions;
  readonly #note: (text: string) => void;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  #lastMs = performance.now();
  #shown = false;

  constructor(options: HuntOptions, note: (text: string) => void) {
    this.#options = options;
    this.#note = note;
  }

  show(totals: Totals): void {
    const now = performance.now();
    if (now - this.#lastMs < (this.#terminal ? EVERY_MS_ON_TERMINAL : EVERY_MS)) return;
    this.#lastMs = now;
    const { seeds, forMs } = this.#options;
    const elapsedMs = now - this.#startedMs;
    const of = Number.isFinite(forMs) ? `${Math.round(elapsedMs / 1_000)} of ${Math.round(forMs / 1_000)} s` : `${seeds} seeds`;
    const rate = (totals.seeds / elapsedMs) * 1_000;
    const line = `${totals.seeds} seeds done (${of}), ${rate.toFixed(1)} a second, ${totals.virtualHours.toFixed(1)} h simulated, ${totals.violations} with violations`;
    this.#note(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`);
    this.#shown = true;
  }

  /** Makes room for something else. */
  clear(): void {
    if (this.#terminal && this.#shown) this.#note("\r\x1b[2K");
    this.#shown = false;
  }
}
