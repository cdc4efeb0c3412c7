import type { HistogramData } from "./histogram-data.js";

/** Values from here on are counted as this one. */
const MAX_VALUE = 2 ** 32 - 1;
const VALUE_BITS = 32;

/**
 * Counts whole numbers in buckets whose width grows with the value, in one fixed array. Recording allocates nothing and takes a few
 * nanoseconds; a value is known to one part in 2^precision.
 */
export class LogHistogram {
  readonly #precision: number;
  readonly #counts: Uint32Array;
  #count = 0;
  #sum = 0;
  #max = 0;

  /** @param precision bits that are kept of a value besides its magnitude */
  constructor(precision = 3) {
    this.#precision = precision;
    this.#counts = new Uint32Array((VALUE_BITS - precision + 1) << precision);
  }

  get count(): number {
    return this.#count;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Counts a value; what is not a whole number from 0 up is made one. */
  record(value: number): void {
    const whole = value >= MAX_VALUE ? MAX_VALUE : value > 0 ? value >>> 0 : 0;
    const precision = this.#precision;
    const shift = 31 - Math.clz32(whole) - precision;
    const at = shift <= 0 ? whole : (shift << precision) + (whole >>> shift);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count++;
    this.#sum += whole;
    if (whole > this.#max) this.#max = whole;
  }

  /** Halves every count, so that what was recorded long ago weighs less than what is new. */
  halve(): void {
    const counts = this.#counts;
    const before = this.#count;
    let count = 0;
    let last = -1;
    for (let at = 0; at < counts.length; at++) {
      const half = (counts[at] as number) >>> 1;
      counts[at] = half;
      count += half;
      if (half > 0) last = at;
    }
    this.#count = count;
    this.#sum = before === 0 ? 0 : (this.#sum * count) / before;
    this.#max = Math.min(this.#max, last < 0 ? 0 : this.#from(last + 1) - 1);
  }

  /** What was counted, each value times `scale`. */
  data(scale = 1): HistogramData {
    const buckets: [number, number, number][] = [];
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at] as number;
      if (count > 0) buckets.push([scaled(this.#from(at), scale), scaled(this.#from(at + 1), scale), count]);
    }
    return { count: this.#count, sum: scaled(this.#sum, scale), max: scaled(this.#max, scale), buckets };
  }

  /** The least value of a bucket. */
  #from(at: number): number {
    const precision = this.#precision;
    if (at < 2 << precision) return at;
    const shift = (at >> precision) - 1;
    return (at - (shift << precision)) * 2 ** shift;
  }
}

/** Without the digits that only come of multiplying. */
function scaled(value: number, scale: number): number {
  return scale === 1 ? value : Number((value * scale).toPrecision(9));
}
