import { DEFAULT_DELTA_BYTES, meanOf, resolveWorkload, type Workload } from "@sojourn/core";
import type { KindReport } from "@sojourn/node";

/** A kind of session as it was measured, completed by what was given. */
export type LiveWorkload =
  | { readonly kind: string; readonly workload: Workload; readonly notes: readonly string[] }
  /** Too little is known of it. */
  | { readonly kind: string; readonly workload: null; readonly notes: readonly string[] };

/** What was measured of a kind, with what was given in the place of what was not, or instead of it. */
export function liveWorkload(report: KindReport, given: Partial<Workload>): LiveWorkload {
  const { kind, sessions, durability, stateBytes, deltaBytes, turnsPerSec, movesPerSec } = report;
  const notes: string[] = [];
  const size = given.stateBytes ?? (stateBytes.count > 0 ? meanOf(stateBytes) : null);
  const count = given.sessions ?? sessions;
  if (size === null) notes.push("no session's size is known yet: give --size, or wait until one was copied or moved");
  if (count === 0) notes.push("there are no sessions: give --sessions");
  if (size === null || count === 0) return { kind, workload: null, notes };
  if (given.deltaBytes === undefined && deltaBytes.count === 0) {
    notes.push(`no change was encoded yet; a change of ${Math.min(DEFAULT_DELTA_BYTES, Math.round(size))} B is assumed (--delta)`);
  }
  const workload = resolveWorkload({
    ...given,
    stateBytes: size,
    turnsPerSec: given.turnsPerSec ?? (sessions === 0 ? 0 : turnsPerSec / sessions),
    // As many for each as there were, when another number of sessions is asked about.
    movesPerSec: given.movesPerSec ?? (sessions === 0 ? movesPerSec : (movesPerSec / sessions) * count),
    durability: given.durability ?? durability,
    sessions: count,
    ...(given.deltaBytes === undefined && deltaBytes.count > 0 && { deltaBytes: meanOf(deltaBytes) }),
  });
  return { kind, workload, notes };
}
