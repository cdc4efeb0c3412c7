import { createHistogram } from "node:perf_hooks";

/** Percentiles of a duration in milliseconds. */
export interface DurationSummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Collects durations in constant memory. */
export class Durations {
  readonly #us = createHistogram();

  record(ms: number): void {
    this.#us.record(Math.max(1, Math.round(ms * 1_000)));
  }

  summary(): DurationSummary {
    const { count } = this.#us;
    if (count === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
    const ms = (us: number) => Math.round(us) / 1_000;
    return { count, p50: ms(this.#us.percentile(50)), p99: ms(this.#us.percentile(99)), max: ms(this.#us.max) };
  }
}
