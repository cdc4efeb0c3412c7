import type { NodeRef } from "../names.js";
import type { RecordDraft, SessionRecord } from "../ports/directory.js";

/**
 * Every change that a node may make to a session's record, as a pure function from the record as it stands to the one that
 * should stand instead, or null when the change is not allowed from there. The numbers are rules of PROTOCOL.md.
 */

const without = (refs: readonly NodeRef[], ...gone: readonly (NodeRef | null)[]): NodeRef[] => refs.filter((ref) => !gone.includes(ref));

type Change = Omit<RecordDraft, "writer">;

/** A session that does not exist, or has ended, starts at `self`. */
export function claim(record: SessionRecord | null, self: NodeRef): Change | null {
  if (record !== null && !record.ended) return null;
  return { epoch: (record?.epoch ?? 0) + 1, owner: self, inSync: [], heir: null, ended: false };
}

/**
 * [8] Nobody who holds the session is alive: it starts anew at `self`. The state is lost, which is reported.
 * @param isEnded whether a ref's lease has ended
 */
export function claimLost(record: SessionRecord, self: NodeRef, isEnded: (ref: NodeRef) => boolean): Change | null {
  if (record.ended || !isEnded(record.owner) || !record.inSync.every(isEnded)) return null;
  return { epoch: record.epoch + 2, owner: self, inSync: [], heir: null, ended: false };
}

/** [2] A standby that holds everything that was released is recorded as in-sync. */
export function join(record: SessionRecord, self: NodeRef, epoch: number, standby: NodeRef): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch) return null;
  return { ...record, inSync: [...without(record.inSync, standby), standby] };
}

/** [3] The owner drops standbys; the recorded heir is never dropped. */
export function leave(record: SessionRecord, self: NodeRef, epoch: number, standbys: readonly NodeRef[]): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch) return null;
  const gone = standbys.filter((ref) => ref !== record.heir && record.inSync.includes(ref));
  return gone.length === 0 ? null : { ...record, inSync: without(record.inSync, ...gone) };
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
  return { epoch, owner: self, inSync, heir: null, ended: false };
}

/** [7] The heir declines: the owner of record goes on, two epochs later. */
export function decline(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.heir !== self || record.epoch !== epoch) return null;
  return { ...record, epoch: epoch + 2, heir: null };
}

/** [7] The heir's lease has ended: its granter takes the session back. */
export function takeBack(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.heir === null || record.epoch !== epoch) return null;
  return { epoch: epoch + 2, owner: self, inSync: without(record.inSync, record.heir), heir: null, ended: false };
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
  return { epoch: record.epoch + (pastDeadHeir ? 2 : 1), owner: self, inSync, heir: null, ended: false };
}

/** Ending is a turn of the owner; the record stays as a tombstone. Not while an heir is recorded: it may be owner already. */
export function end(record: SessionRecord, self: NodeRef, epoch: number): Change | null {
  if (record.ended || record.owner !== self || record.epoch !== epoch || record.heir !== null) return null;
  return { ...record, inSync: [], ended: true };
}
