/**
 * What became of the numbers 1, 2, 3 … that somebody sent, as seen by who received them. Plain data, because the session keeps one in
 * its state.
 */
export interface Tally {
  /** The next number in order; all below have arrived or are in `missing`. */
  next: number;
  /** Numbers that were jumped over and have not come yet, at most MAX_MISSING of them. */
  missing: number[];
  /** Numbers that no longer fit into `missing`. */
  forgotten: number;
  /** Arrivals of a number that had arrived before. */
  doubled: number;
  /** Arrivals after a higher number. */
  reordered: number;
}

const MAX_MISSING = 256;

/** Nothing has arrived yet. */
export function newTally(): Tally {
  return { next: 1, missing: [], forgotten: 0, doubled: 0, reordered: 0 };
}

/** The number `n` has arrived. */
export function observe(tally: Tally, n: number): void {
  if (n === tally.next) {
    tally.next = n + 1;
    return;
  }
  if (n > tally.next) {
    const room = MAX_MISSING - tally.missing.length;
    const last = Math.min(n - 1, tally.next + room - 1);
    for (let lost = tally.next; lost <= last; lost++) tally.missing.push(lost);
    tally.forgotten += n - 1 - last;
    tally.next = n + 1;
    return;
  }
  const at = tally.missing.indexOf(n);
  if (at < 0) {
    tally.doubled++;
    return;
  }
  tally.missing.splice(at, 1);
  tally.reordered++;
}

/** The part of a tally that tells losses. */
interface Audited {
  readonly next: number;
  readonly forgotten: number;
  readonly missing: readonly number[];
}

/** How many of the numbers 1 … `sent` have not arrived. */
export function lostOf(tally: Audited, sent: number): number {
  return tally.missing.length + tally.forgotten + Math.max(0, sent + 1 - tally.next);
}
