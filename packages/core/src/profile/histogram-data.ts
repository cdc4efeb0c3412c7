/** A distribution as it is passed on: plain data. */
export interface HistogramData {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  /** `[from, to, count]` with `from` included and `to` not, in order, without empty ones. */
  readonly buckets: readonly (readonly [number, number, number])[];
}

/** The distribution of what was counted in several. */
export function mergeHistograms(parts: readonly HistogramData[]): HistogramData {
  const buckets = new Map<number, [number, number, number]>();
  let [count, sum, max] = [0, 0, 0];
  for (const part of parts) {
    count += part.count;
    sum += part.sum;
    max = Math.max(max, part.max);
    for (const [from, to, of] of part.buckets) {
      const known = buckets.get(from);
      if (known === undefined) buckets.set(from, [from, to, of]);
      else known[2] += of;
    }
  }
  return { count, sum, max, buckets: [...buckets.values()].sort((a, b) => a[0] - b[0]) };
}

/** The value below which `percent` of what was counted lies, to the width of a bucket; 0 for nothing. */
export function percentileOf({ count, max, buckets }: HistogramData, percent: number): number {
  let left = Math.max(1, Math.ceil((percent / 100) * count));
  for (const [from, to, of] of buckets) {
    left -= of;
    if (left <= 0) return Math.min(max, (from + to) / 2);
  }
  return max;
}

/** The mean of what was counted; 0 for nothing. */
export function meanOf({ count, sum }: HistogramData): number {
  return count === 0 ? 0 : sum / count;
}
