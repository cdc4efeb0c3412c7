/** A position on the earth in degrees. */
export interface Position {
  readonly lat: number;
  readonly lon: number;
}

const EARTH_RADIUS_KM = 6_371;
const RADIANS = Math.PI / 180;

/** Great-circle distance. */
export function distanceKm(a: Position, b: Position): number {
  const sinLat = Math.sin(((b.lat - a.lat) * RADIANS) / 2);
  const sinLon = Math.sin(((b.lon - a.lon) * RADIANS) / 2);
  const h = sinLat * sinLat + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * sinLon * sinLon;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The point at `fraction` of the great circle from `a` to `b`. */
export function along(a: Position, b: Position, fraction: number): Position {
  const angle = distanceKm(a, b) / EARTH_RADIUS_KM;
  if (angle < 1e-9) return b;
  const from = Math.sin((1 - fraction) * angle) / Math.sin(angle);
  const to = Math.sin(fraction * angle) / Math.sin(angle);
  const [x1, y1, z1] = vector(a);
  const [x2, y2, z2] = vector(b);
  const [x, y, z] = [from * x1 + to * x2, from * y1 + to * y2, from * z1 + to * z2];
  return { lat: Math.atan2(z, Math.hypot(x, y)) / RADIANS, lon: Math.atan2(y, x) / RADIANS };
}

function vector({ lat, lon }: Position): readonly [number, number, number] {
  const cosLat = Math.cos(lat * RADIANS);
  return [cosLat * Math.cos(lon * RADIANS), cosLat * Math.sin(lon * RADIANS), Math.sin(lat * RADIANS)];
}

/** The nearest of several, or null of none. */
export function nearestOf<P extends Position>(to: Position, places: Iterable<P>): P | null {
  let best: P | null = null;
  let bestKm = Number.POSITIVE_INFINITY;
  for (const place of places) {
    const km = distanceKm(to, place);
    if (km >= bestKm) continue;
    best = place;
    bestKm = km;
  }
  return best;
}
