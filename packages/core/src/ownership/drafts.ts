import type { NodeRef } from "../names.js";
import type { RecordDraft, SessionRecord } from "../ports/directory.js";
import type { Strategy } from "../strategy/strategy.js";

/**
 * Every change that a node may make to a session's record, as a pure function from the record as it stands to the one that
 * should stand instead, or null when the change is not allowed from there. The numbers are rules of PROTOCOL.md.
 */

const without = (refs: readonly NodeRef[], ...gone: readonly (NodeRef | null)[]): NodeRef[] => refs.filter((ref) => !gone.includes(ref));

type Change = Omit<RecordDraft, "writer">;

/**
 * A session that does not exist, or has ended, starts at `self`. `stored`: the session store is in-sync from the beginning; nothing may
 * be released before it holds that.
 */
export function claim(record: SessionRecord | null, self: NodeRef, strategy: Strategy, stored: boolean): Change | null {
  if (record !== null && !record.ended) return null;
  return { epoch: (record?.epoch ?? 0) + 1, owner: self, inSync: [], heir: null, ended: false, strategy, stored };
}

/**
 * [8] Whether nobody is alive who may hold the session in memory.
 * @param isEnded whether a ref's lease has ended
 */
export function heldByNobody({ owner, inSync, heir }: SessionRecord, isEnded: (ref: NodeRef) => boolean): boolean {
  return isEnded(owner) && inSync.every((ref) => isEnded(ref)) && (heir === null || isEnded(heir));
}

/**
 * [8] Nobody who holds the session in memory is alive: it goes on at `self` from the session store, as far as that holds it. Otherwise
 * it starts anew, and that the state is lost is reported.
 * @param isEnded whether a ref's lease has ended
 */
export function claimLost(record: SessionRecord, self: NodeRef, isEnded: (ref: NodeRef) => boolean): Change | null {
  if (record.ended || !heldByNobody(record, isEnded)) return null;
  return { ...record, epoch: record.epoch + 2, owner: self, inSync: [], heir: null };
}

/** [2] A standby that holds everything that was released is recorded as in-sync, in place of others where it replaces some [3]. */
export function join(
  record: SessionRecord,
  self: NodeRef,
  epoch: number,
  standby: NodeRef,
  replaced: readonly NodeRef[] = [],
): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch) return null;
  const gone = replaced.filter((ref) => ref !== record.heir);
  return { ...record, inSync: [...without(record.inSync, standby, ...gone), standby] };
}

/** [3] The owner drops standbys; the recorded heir is never dropped. */
export function leave(record: SessionRecord, self: NodeRef, epoch: number, standbys: readonly NodeRef[]): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch) return null;
  const gone = standbys.filter((ref) => ref !== record.heir && record.inSync.includes(ref));
  return gone.length === 0 ? null : { ...record, inSync: without(record.inSync, ...gone) };
}

/** [2] The session store holds everything that was released: it is recorded as in-sync. */
export function joinStore(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || record.strategy !== "hybrid") return null;
  return { ...record, stored: true };
}

/** [3] The owner drops the session store, but never when nobody else is in-sync. */
export function leaveStore(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || !record.stored || record.inSync.length === 0) return null;
  return { ...record, stored: false };
}

/**
 * The session gets another strategy; not while a hand-over is under way, whose heir would go by what it was told before. [2] `stored`: the
 * session store holds everything that was released. [3] Where the store is dropped, at least so many copies must be in-sync.
 */
export function changeStrategy(
  record: SessionRecord,
  self: NodeRef,
  epoch: number,
  to: Pick<SessionRecord, "strategy" | "stored">,
  copies: number,
): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || record.heir !== null) return null;
  if (record.stored && !to.stored && record.inSync.length < Math.max(1, copies)) return null;
  if (record.inSync.length < copies) return null;
  return { ...record, strategy: to.strategy, stored: to.stored };
}

/** [4] Step 3: the heir is recorded, and is in-sync. */
export function prepare(record: SessionRecord, self: NodeRef, epoch: number, heir: NodeRef): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || record.heir !== null) return null;
  return { ...record, inSync: [...without(record.inSync, heir), heir], heir };
}

/**
 * Step 7: the heir that was granted becomes the owner; the granter stays in-sync [6]. Standbys beyond `keep` are dropped in the same
 * write (the same as dropping them right afterwards), the granter last.
 */
export function commit(record: SessionRecord, self: NodeRef, epoch: number, granter: NodeRef, keep: number): Change | null {
  if (record.ended || record.heir !== self || record.owner !== granter || record.epoch !== epoch - 1) return null;
  const inSync = [granter, ...without(record.inSync, self, granter).reverse()].slice(0, keep);
  return { ...record, epoch, owner: self, inSync, heir: null };
}

/** [7] The heir declines: the owner of record goes on, two epochs later. */
export function decline(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.heir !== self || record.epoch !== epoch) return null;
  return { ...record, epoch: epoch + 2, heir: null };
}

/** [7] The heir's lease has ended: its granter takes the session back. */
export function takeBack(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.heir === null || record.epoch !== epoch) return null;
  return { ...record, epoch: epoch + 2, owner: self, inSync: without(record.inSync, record.heir), heir: null };
}

/**
 * [8] The owner's lease has ended and `self` is in-sync: the heir first, another standby only when there is no living heir.
 * Members whose lease has ended are not carried over.
 */
export function promote(record: SessionRecord, self: NodeRef, isEnded: (ref: NodeRef) => boolean): Change | null {
  if (record.ended || !isEnded(record.owner) || !record.inSync.includes(self)) return null;
  if (record.heir !== null && record.heir !== self && !isEnded(record.heir)) return null;
  const pastDeadHeir = record.heir !== null && record.heir !== self;
  const inSync = record.inSync.filter((ref) => ref !== self && !isEnded(ref));
  return { ...record, epoch: record.epoch + (pastDeadHeir ? 2 : 1), owner: self, inSync, heir: null };
}

/**
 * [8] The owner is suspected, and `self` is in-sync: it need not wait for the end of the owner's lease, for the owner releases nothing
 * any more that `self` does not acknowledge. Never past an heir, who may be acting already. Only for sessions whose output waits for
 * the in-sync standbys (`strong`).
 * @param isLost whether a ref's lease has ended, or its process is gone
 */
export function promoteOnSuspicion(
  record: SessionRecord,
  suspect: { readonly owner: NodeRef; readonly epoch: number },
  self: NodeRef,
  isLost: (ref: NodeRef) => boolean,
): Change | null {
  if (record.ended || record.owner !== suspect.owner || record.epoch !== suspect.epoch) return null;
  if (record.heir !== null || !record.inSync.includes(self)) return null;
  const inSync = record.inSync.filter((ref) => ref !== self && !isLost(ref));
  return { ...record, epoch: record.epoch + 1, owner: self, inSync };
}

/** Ending is a turn of the owner; the record stays as a tombstone. Not while an heir is recorded: it may be owner already. */
export function end(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || record.heir !== null) return null;
  return { ...record, inSync: [], stored: false, ended: true };
}
