/** A task that was put on the clock. Cancelling twice, or after it ran, does nothing. */
export interface Scheduled {
  cancel(): void;
}

/**
 * Time. `now` never goes back and does not follow the wall clock; every deadline in Sojourn is measured with it.
 * Scheduled tasks run once, never early, never inside the call that schedules them.
 */
export interface Clock {
  /** Monotonic milliseconds, with fractions. Only differences mean anything. */
  now(): number;
  /** Milliseconds since 1970 by the wall clock, for applications only; it may jump. */
  wallNow(): number;
  schedule(delayMs: number, task: () => void): Scheduled;
}
