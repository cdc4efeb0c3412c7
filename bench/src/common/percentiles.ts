/** Percentile of values by the nearest rank; 0 for none. Sorts a copy. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] as number;
}

/** Middle value. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Rounds for reports: three significant digits below 100, whole numbers above. */
export function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
