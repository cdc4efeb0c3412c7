import type { Clock, Scheduled } from "@sojourn/core";
import { type HeapEntry, TaskHeap } from "./task-heap.js";

/** The longest delay setTimeout takes; longer ones would fire at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** What the clock is made of; tests pass their own. */
export interface ClockSource {
  monotonicMs(): number;
  wallMs(): number;
  setTimer(task: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
}

/** What a process offers. Where `performance.now` starts is each thread's own affair. */
export const systemClockSource: ClockSource = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (task, delayMs) => setTimeout(task, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/**
 * All tasks of one clock over a single timer of the runtime. A hand-over sets a dozen deadlines and cancels nearly all of them; in a heap
 * that costs a fraction of what the runtime's own timers do.
 */
class HeapClock implements Clock {
  readonly #source: ClockSource;
  readonly #heap = new TaskHeap();
  #order = 0;
  #timer: unknown = null;
  #armedForMs = Number.POSITIVE_INFINITY;
  #running = false;

  constructor(source: ClockSource) {
    this.#source = source;
  }

  now(): number {
    return this.#source.monotonicMs();
  }

  wallNow(): number {
    return this.#source.wallMs();
  }

  schedule(delayMs: number, task: () => void): Scheduled {
    const entry: HeapEntry = { dueMs: this.#source.monotonicMs() + Math.max(0, delayMs), order: this.#order++, task };
    this.#heap.push(entry);
    if (entry.dueMs < this.#armedForMs && !this.#running) this.#arm();
    return { cancel: () => this.#cancel(entry) };
  }

  #cancel(entry: HeapEntry): void {
    if (entry.task === null) return;
    this.#heap.cancel(entry);
    // With nothing left to wait for, the process may end.
    if (this.#heap.live === 0 && !this.#running) this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    const next = this.#heap.peek();
    if (next === undefined) return;
    this.#armedForMs = next.dueMs;
    const leftMs = next.dueMs - this.#source.monotonicMs();
    this.#timer = this.#source.setTimer(this.#fire, Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(leftMs))));
  }

  #disarm(): void {
    if (this.#timer !== null) this.#source.clearTimer(this.#timer);
    this.#timer = null;
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  readonly #fire = (): void => {
    this.#timer = null;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.#running = true;
    // What is scheduled from here on waits for the next turn of the event loop, so that input is not starved.
    const lastOrder = this.#order;
    try {
      // Timers of the runtime have whole milliseconds of their own and may come up to one early; the port promises never early.
      const nowMs = this.#source.monotonicMs();
      for (let next = this.#heap.peek(); next !== undefined && next.dueMs <= nowMs && next.order < lastOrder; next = this.#heap.peek()) {
        this.#heap.pop();
        const { task } = next;
        next.task = null;
        task?.();
      }
    } finally {
      this.#running = false;
      this.#arm();
    }
  };
}

/** The clock of a real process: monotonic time from `performance.now`, delays of any length, never early. */
export function createSystemClock(source: ClockSource = systemClockSource): Clock {
  return new HeapClock(source);
}
