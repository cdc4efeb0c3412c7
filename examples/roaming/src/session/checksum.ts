/** A checksum over everything that was reported so far, in order. Sender and receiver get the same from the same reports only. */
export function chained(sum: number, n: number, lat: number, lon: number): number {
  let mixed = sum ^ n;
  for (const part of [Math.round(lat * 1e5), Math.round(lon * 1e5)]) mixed = Math.imul(mixed ^ part, 0x01000193) ^ (mixed >>> 15);
  return mixed >>> 0;
}
