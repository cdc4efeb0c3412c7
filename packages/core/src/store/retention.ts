import type { Position } from "../ports/session-store.js";
import { comparePositions } from "./session-head.js";

type At = Pick<Position, "epoch" | "version">;

/** What goes and what stays of a session. */
export interface PrunePlan<Base extends At> {
  readonly keep: readonly Base[];
  readonly remove: readonly Base[];
  readonly damagedBases: number;
  /** Records at or before this position are of no use to any base that is kept; null: remove none. */
  readonly logFrom: At | null;
}

/**
 * The retention rule: the newest `keepBases` good bases stay, what is older than the oldest of them goes. With fewer good ones nothing
 * goes. A base counts as good only once `isGood` has read it.
 */
export async function planPrune<Base extends At>(
  bases: readonly Base[],
  keepBases: number,
  isGood: (base: Base) => Promise<boolean>,
): Promise<PrunePlan<Base>> {
  const newestFirst = [...bases].sort((a, b) => comparePositions(b, a));
  let good = 0;
  let damagedBases = 0;
  for (const [i, base] of newestFirst.entries()) {
    if (await isGood(base)) good++;
    else damagedBases++;
    if (good >= Math.max(1, keepBases)) {
      return { keep: newestFirst.slice(0, i + 1), remove: newestFirst.slice(i + 1), damagedBases, logFrom: base };
    }
  }
  // Fewer good ones than wanted: the log goes on from the oldest there is.
  return { keep: newestFirst, remove: [], damagedBases, logFrom: newestFirst.at(-1) ?? null };
}

/** Whether a record is of no use once the base at `oldest` is the oldest one. */
export function isBefore(record: At, oldest: At | null): boolean {
  return oldest !== null && comparePositions(record, oldest) <= 0;
}
