import type { LogRecord, Position, StaleWrite } from "../ports/session-store.js";

/** What a store must know of a session to judge a write, and must change in one step with it. */
export interface SessionHead {
  /** Writes of older epochs are refused. */
  readonly fence: number;
  /** Newest base by `(epoch, version)`. */
  readonly base: Position | null;
  /** Where the log ends. It may lie before the newest base, when the base was faster than the last records. */
  readonly log: Position | null;
}

/** Of a session that the store has never heard of. */
export const NO_HEAD: SessionHead = { fence: 0, base: null, log: null };

/** A write that changes the head, or the answer to one that does not. */
export type Judged<Refusal> = { readonly outcome: "accepted"; readonly head: SessionHead } | Refusal;

/** Negative when `a` comes before `b`. */
export function comparePositions(a: Pick<Position, "epoch" | "version">, b: Pick<Position, "epoch" | "version">): number {
  return a.epoch - b.epoch || a.version - b.version;
}

/** The newer one of two; null is older than everything. */
export function newerOf(a: Position | null, b: Position | null): Position | null {
  if (a === null || b === null) return a ?? b;
  return comparePositions(a, b) < 0 ? b : a;
}

/** May this epoch write from now on? */
export function judgeFence(head: SessionHead, epoch: number): Judged<StaleWrite> {
  if (epoch < head.fence) return { outcome: "stale", epoch: head.fence };
  return { outcome: "accepted", head: { ...head, fence: epoch } };
}

/** A base at this position. */
export function judgeBase(head: SessionHead, { epoch, version, hash }: Position): Judged<StaleWrite> {
  if (epoch < head.fence) return { outcome: "stale", epoch: head.fence };
  return { outcome: "accepted", head: { fence: epoch, base: newerOf(head.base, { epoch, version, hash }), log: head.log } };
}

/**
 * A record extends the log, or the newest base when that is ahead of the log, to the hash; what their epoch has up to there is known. Where two branches gave
 * the same hash at the same version they are the same history, so nothing else need be asked.
 */
export function judgeRecord(
  head: SessionHead,
  record: LogRecord,
): Judged<StaleWrite | { readonly outcome: "known" } | { readonly outcome: "gap"; readonly end: Position | null }> {
  const { epoch, version, hash } = record;
  if (epoch < head.fence) return { outcome: "stale", epoch: head.fence };
  const follows = (at: Position | null): boolean => at !== null && at.version === record.fromVersion && at.hash === record.fromHash;
  const ahead = head.base !== null && (head.log === null || comparePositions(head.log, head.base) < 0);
  if (head.base !== null && (follows(head.log) || (ahead && follows(head.base)))) {
    return { outcome: "accepted", head: { fence: epoch, base: head.base, log: { epoch, version, hash } } };
  }
  const holds = (at: Position | null): boolean => at !== null && at.epoch === epoch && version <= at.version;
  if (holds(head.log) || holds(head.base)) return { outcome: "known" };
  return { outcome: "gap", end: newerOf(head.base, head.log) };
}

/** After a removal at an epoch only a greater one writes. Removing twice is the same as once. */
export function judgeRemove(head: SessionHead, epoch: number): Judged<StaleWrite> {
  const removed = head.base === null && head.log === null && head.fence === epoch + 1;
  if (epoch < head.fence && !removed) return { outcome: "stale", epoch: head.fence };
  return { outcome: "accepted", head: { fence: epoch + 1, base: null, log: null } };
}
