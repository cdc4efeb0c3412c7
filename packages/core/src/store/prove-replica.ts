import { SojournError } from "../errors/sojourn-error.js";
import type { Crc32 } from "../ports/checksum.js";
import type { LogRecord, Position, StoreDamage, StoredBase, StoredReplica } from "../ports/session-store.js";
import { comparePositions, newerOf, type SessionHead } from "./session-head.js";

type At = Pick<Position, "epoch" | "version">;

/** A record that cannot be read; its place, where the store knows it besides. */
export interface DamagedRecord {
  readonly damaged: At | null;
}

/** What a store found of one session. */
export interface ReplicaParts {
  readonly session: string;
  readonly head: SessionHead;
  /** In whatever order. `load` gives null for a damaged one. */
  readonly bases: readonly { readonly at: At; load(): Promise<StoredBase | null> }[];
  /** In the order of `(epoch, version)`. */
  readonly records: readonly (LogRecord | DamagedRecord)[];
}

/**
 * The newest state that the parts prove: of every good base with what of the log leads on from it, the one that comes furthest. Older
 * bases are looked at only when the newest does not come to the end. A log may hold several branches, as an epoch may have gone on from
 * before the end of the older one.
 * @throws SojournError `E_STORE_DAMAGED` when there are bases and none is good
 */
export async function proveReplica(parts: ReplicaParts, crc32: Crc32): Promise<StoredReplica | null> {
  const { head, session } = parts;
  const bases = [...parts.bases].sort((a, b) => comparePositions(b.at, a.at));
  const newest = newestTrace(parts);
  let damagedBases = 0;
  let best: { readonly replica: Omit<StoredReplica, "damage">; readonly cut: number } | null = null;
  for (const candidate of bases) {
    const base = await candidate.load();
    if (base === null || comparePositions(base, candidate.at) !== 0) {
      damagedBases++;
      continue;
    }
    const { records, end, cut } = followLog(base, parts.records, crc32);
    if (best !== null && comparePositions(end, best.replica.end) <= 0) continue;
    best = { replica: { base, log: records, end, fence: head.fence }, cut };
    if (newest === null || comparePositions(end, newest) >= 0) break;
  }
  if (best !== null) return { ...best.replica, damage: damageOf(best.replica.end, newest, damagedBases, best.cut) };
  if (bases.length === 0 && head.base === null) return null;
  throw new SojournError("E_STORE_DAMAGED", `nothing of "${session}" can be read any more`, { session, damagedBases });
}

function positionOf({ epoch, version, hash }: Position): Position {
  return { epoch, version, hash };
}

/** The newest position that anything speaks of. */
function newestTrace({ head, bases, records }: ReplicaParts): Position | null {
  let newest = newerOf(head.base, head.log);
  for (const { at } of bases) newest = newerOf(newest, { hash: 0, ...at });
  for (const record of records) {
    if (!("damaged" in record)) newest = newerOf(newest, positionOf(record));
    else if (record.damaged !== null) newest = newerOf(newest, { hash: 0, ...record.damaged });
  }
  return newest;
}

function damageOf(end: Position, newest: Position | null, damagedBases: number, cutRecords: number): StoreDamage | null {
  const last = newest !== null && comparePositions(end, newest) < 0 ? newest : end;
  if (damagedBases === 0 && cutRecords === 0 && last === end) return null;
  return { damagedBases, cutRecords, newest: last, lostTurns: Math.max(0, last.version - end.version) };
}

/** A point of history that is reached from the base. */
interface Reached {
  readonly from: Reached | null;
  /** The deltas that lead here from there, as a part of a record; null at the base. */
  readonly by: Part | null;
}

interface Part {
  readonly record: LogRecord;
  readonly hashes: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * The records that lead from a base to the newest position which it leads to, cut to fit each other, and how many were of no use
 * though they come after it. Version and hash name a point of history, whoever made it, so a path of them is all there is to find.
 */
export function followLog(
  base: Position,
  records: readonly (LogRecord | DamagedRecord)[],
  crc32: Crc32,
): { readonly records: readonly LogRecord[]; readonly end: Position; readonly cut: number } {
  const start: Reached = { from: null, by: null };
  const reached = new Map([[pointOf(base.version, base.hash), start]]);
  let end: Position = base;
  let best = start;
  let cut = 0;
  for (const record of records) {
    if ("damaged" in record) {
      if (record.damaged === null || comparePositions(record.damaged, base) > 0) cut++;
      continue;
    }
    if (comparePositions(record, base) <= 0) continue;
    const hashes = chainOf(record, crc32);
    const joint = hashes?.findLastIndex((hash, i) => reached.has(pointOf(record.fromVersion + i, hash))) ?? -1;
    if (hashes === null || joint < 0) {
      cut++;
      continue;
    }
    const from = reached.get(pointOf(record.fromVersion + joint, hashes[joint] ?? 0)) ?? start;
    for (let i = joint + 1; i < hashes.length; i++) {
      reached.set(pointOf(record.fromVersion + i, hashes[i] ?? 0), { from, by: { record, hashes, from: joint, to: i } });
    }
    if (comparePositions(record, end) > 0) {
      end = record;
      best = reached.get(pointOf(record.version, record.hash)) ?? start;
    }
  }
  const path: LogRecord[] = [];
  for (let at: Reached | null = best; at?.by != null; at = at.from) path.push(cutOut(at.by));
  return { records: path.reverse(), end: positionOf(end), cut };
}

function pointOf(version: number, hash: number): string {
  return `${version}#${hash}`;
}

/** The hash before the record and after each of its deltas; null when they do not lead where it says. */
function chainOf(record: LogRecord, crc32: Crc32): number[] | null {
  let hash = record.fromHash;
  const hashes = [hash];
  for (const delta of record.deltas) {
    hash = crc32(delta, hash);
    hashes.push(hash);
  }
  return hash === record.hash && hashes.length === record.version - record.fromVersion + 1 ? hashes : null;
}

function cutOut({ record, hashes, from, to }: Part): LogRecord {
  if (from === 0 && to === record.deltas.length) return record;
  const { fromVersion, deltas } = record;
  return {
    ...record,
    fromVersion: fromVersion + from,
    fromHash: hashes[from] ?? 0,
    version: fromVersion + to,
    hash: hashes[to] ?? 0,
    deltas: deltas.slice(from, to),
  };
}
