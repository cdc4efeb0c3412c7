import type { Clock, Scheduled } from "@sojourn/core";

/** The longest delay setTimeout takes; longer ones would fire at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** What the clock is made of; tests pass their own. */
export interface ClockSource {
  monotonicMs(): number;
  wallMs(): number;
  setTimer(task: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
}

const nodeSource: ClockSource = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (task, delayMs) => setTimeout(task, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

class Task implements Scheduled {
  readonly #source: ClockSource;
  readonly #dueMs: number;
  #task: (() => void) | null;
  #timer: unknown;

  constructor(source: ClockSource, delayMs: number, task: () => void) {
    this.#source = source;
    this.#dueMs = source.monotonicMs() + Math.max(0, delayMs);
    this.#task = task;
    this.#arm();
  }

  readonly #arm = (): void => {
    const leftMs = this.#dueMs - this.#source.monotonicMs();
    this.#timer = this.#source.setTimer(this.#fire, Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(leftMs))));
  };

  readonly #fire = (): void => {
    const task = this.#task;
    if (task === null) return;
    // Timers of the runtime have whole milliseconds of their own and may come up to one early; the port promises never early.
    if (this.#source.monotonicMs() < this.#dueMs) {
      this.#arm();
      return;
    }
    this.#task = null;
    task();
  };

  cancel(): void {
    if (this.#task === null) return;
    this.#task = null;
    this.#source.clearTimer(this.#timer);
  }
}

/** The clock of a real process: monotonic time from `performance.now`, delays of any length, never early. */
export function createSystemClock(source: ClockSource = nodeSource): Clock {
  return {
    now: () => source.monotonicMs(),
    wallNow: () => source.wallMs(),
    schedule: (delayMs, task) => new Task(source, delayMs, task),
  };
}
