import type { HistogramData } from "@sojourn/core";

const BAR_WIDTH = 40;
const MAX_ROWS = 12;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A histogram as lines of bars, in steps of a power of two that fit into a dozen lines. */
export function histogramLines(data: HistogramData, text: (value: number) => string): string[] {
  const rows = rowsOf(data);
  if (rows.length === 0) return ["(nothing yet)"];
  const most = Math.max(...rows.map(({ count }) => count));
  const labels = rows.map(({ from, to }) => `${text(from)} – ${text(to)}`);
  const width = Math.max(...labels.map((label) => label.length));
  return rows.map(({ count }, i) => {
    const share = `${((count / data.count) * 100).toFixed(1)} %`.padStart(7);
    return `${labels[i]?.padStart(width)}  ${share}  ${bar(count / most)}`.trimEnd();
  });
}

interface Row {
  readonly from: number;
  readonly to: number;
  count: number;
}

/** Neighbouring buckets together, empty rows between them included. */
function rowsOf({ buckets }: HistogramData): Row[] {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) return [];
  const lowest = Math.floor(Math.log2(Math.max(first[0], Number.MIN_VALUE) || 1));
  const floor = first[0] === 0 ? powerBelow(buckets.find(([from]) => from > 0)?.[0] ?? 1) : lowest;
  const ceiling = Math.ceil(Math.log2(Math.max(last[1], 2 ** floor)));
  const step = Math.max(1, Math.ceil((ceiling - floor) / MAX_ROWS));
  const rows: Row[] = [];
  if (first[0] === 0) rows.push({ from: 0, to: 2 ** floor, count: 0 });
  for (let power = floor; power < ceiling; power += step) rows.push({ from: 2 ** power, to: 2 ** (power + step), count: 0 });
  for (const [from, to, count] of buckets) {
    // A bucket is narrower than a row, and counts where its middle is.
    const row = rows.findLast((candidate) => candidate.from <= (from + to) / 2) ?? rows[0];
    if (row !== undefined) row.count += count;
  }
  return rows;
}

function powerBelow(value: number): number {
  return Math.floor(Math.log2(value));
}

function bar(share: number): string {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * BAR_WIDTH * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
