/**
 * When timers were armed, so that none fires before its time [I7]. A handler may run in a turn that is rolled back or of an owner that
 * nobody hears, and again in the turn that counts; so a timer is due when the earliest of them would be.
 */
export class TimerBook {
  readonly #now: () => number;
  readonly #fastest: number;
  readonly #problem: (text: string) => void;
  readonly #due = new Map<string, number>();

  /** @param fastest how much faster than real time the fastest clock runs that may measure a timer */
  constructor(now: () => number, fastest: number, problem: (text: string) => void) {
    this.#now = now;
    this.#fastest = fastest;
    this.#problem = problem;
  }

  /** @param timer names the timer and the how manieth arming of it this is, over all lives of all sessions */
  armed(timer: string, forMs: number): void {
    const dueMs = this.#now() + forMs / this.#fastest;
    this.#due.set(timer, Math.min(dueMs, this.#due.get(timer) ?? Number.POSITIVE_INFINITY));
  }

  fired(timer: string): void {
    const dueMs = this.#due.get(timer);
    if (dueMs === undefined) this.#problem(`I7: timer ${timer} fires although it was never armed`);
    else if (this.#now() < dueMs - ROUNDING_MS) this.#problem(`I7: timer ${timer} fires ${(dueMs - this.#now()).toFixed(1)} ms early`);
  }
}

/** Remaining times travel as whole milliseconds at worst, once for each node that a session passes while the timer runs. */
const ROUNDING_MS = 1;
