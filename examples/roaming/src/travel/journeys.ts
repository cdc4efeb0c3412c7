import type { Position } from "./geo.js";

/** Where one user was at one moment of simulated time. */
export interface Fix extends Position {
  /** Seconds since the start, never going back from one fix to the next. */
  readonly atS: number;
  readonly user: number;
}

/** The travels of all users, without end, merged in order of time. At 0 s each user has one fix. */
export interface Journeys {
  next(): Fix;
}

/** Merges one endless source per user. Each source is in order of time itself. */
export function mergeJourneys(sources: readonly (() => Fix)[]): Journeys {
  const heap = sources.map((next) => ({ fix: next(), next }));
  const before = (a: number, b: number): boolean => {
    const [x, y] = [heap[a]?.fix, heap[b]?.fix];
    return x !== undefined && y !== undefined && (x.atS < y.atS || (x.atS === y.atS && x.user < y.user));
  };
  const sink = (from: number): void => {
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (before(child, least)) least = child;
      const [parent, child] = [heap[at], heap[least]];
      if (least === at || parent === undefined || child === undefined) return;
      heap[at] = child;
      heap[least] = parent;
      at = least;
    }
  };
  for (let at = heap.length >> 1; at >= 0; at--) sink(at);
  return {
    next() {
      const first = heap[0];
      if (first === undefined) throw new RangeError("there are no users");
      const { fix } = first;
      first.fix = first.next();
      sink(0);
      return fix;
    },
  };
}
