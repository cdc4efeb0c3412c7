import type { Crc32 } from "../ports/checksum.js";
import type { StateCodec } from "../ports/codec.js";
import type { StoredReplica } from "../ports/session-store.js";
import type { SessionCell, SessionFactory } from "../session/session-port.js";
import { comparePositions } from "../store/session-head.js";

/** A session made from what a store had of it. */
export interface Replayed {
  readonly cell: SessionCell;
  /** Chain hash at the cell's version. */
  readonly hash: number;
  /** Everything that the store ever acknowledged is in it. */
  readonly complete: boolean;
  /** Turns of which there is a trace and no more; at least so many. */
  readonly lostTurns: number;
  readonly logBytes: number;
}

/**
 * Makes the session of a stored replica: its base, then its log. A delta that cannot be applied ends it there; what comes after is lost.
 * @throws SojournError of the base: `E_STATE_VERSION`, `E_CODEC_CORRUPT`, `E_CODEC_TABLE_UNKNOWN`
 */
export function replay(key: string, replica: StoredReplica, factory: SessionFactory, codec: StateCodec, crc32: Crc32): Replayed {
  const { base, log, end, damage } = replica;
  if (base.table !== null) codec.importTable(base.table);
  const cell = factory.restore(key, base.bytes);
  let { hash } = base;
  let logBytes = 0;
  let whole = true;
  try {
    for (const record of log) {
      if (record.table !== null) codec.importTable(record.table);
      for (const delta of record.deltas) {
        cell.apply(delta);
        hash = crc32(delta, hash);
        logBytes += delta.length;
      }
    }
  } catch {
    whole = false;
  }
  const newest = damage?.newest ?? end;
  const complete = whole && (damage?.cutRecords ?? 0) === 0 && comparePositions(end, newest) >= 0;
  return { cell, hash, complete, lostTurns: Math.max(0, newest.version - cell.version), logBytes };
}
