const THOUSAND = 1_000;
const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];

/** `5 KB`, `50.2 GB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= THOUSAND;
    unit++;
  }
  return `${significant(value)} ${BYTE_UNITS[unit]}`;
}

/** `20/s`, `1.2 M/s`, `3/h`. */
export function rateText(perSec: number): string {
  if (perSec === 0) return "0/s";
  if (perSec < 1 / 60) return `${significant(perSec * 3_600)}/h`;
  if (perSec < 0.1) return `${significant(perSec * 60)}/min`;
  return `${countText(perSec)}/s`;
}

/** `120`, `1.5 k`, `20 M`. */
export function countText(count: number): string {
  if (count >= 999_500_000) return `${significant(count / 1e9)} G`;
  if (count >= 999_500) return `${significant(count / 1e6)} M`;
  if (count >= 9_995) return `${significant(count / 1e3)} k`;
  return count >= 1_000 ? String(Math.round(count)) : significant(count);
}

/** `1.4 ms`, `30 s`, `2.5 min`. */
export function timeText(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return `${significant(ms * 1_000)} µs`;
  if (ms < 999.5) return `${significant(ms)} ms`;
  if (ms < 120_000) return `${significant(ms / 1_000)} s`;
  return `${significant(ms / 60_000)} min`;
}

/** `0.02 USD`, `1,234 USD`. */
export function usdText(usd: number): string {
  if (usd >= 1_000) return `${Math.round(usd).toLocaleString("en-US")} USD`;
  return usd === 0 ? "0 USD" : `${usd >= 0.01 ? usd.toFixed(2) : significant(usd, 2)} USD`;
}

/** Three digits, without zeros that say nothing. */
export function significant(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)));
}
