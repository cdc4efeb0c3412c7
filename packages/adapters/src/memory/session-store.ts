import { crc32 } from "node:zlib";
import {
  type AppendOutcome,
  type BaseWrite,
  isBefore,
  isUnder,
  joinPieces,
  judgeBase,
  judgeFence,
  judgeRecord,
  judgeRemove,
  type Limits,
  type ListQuery,
  type LogEntry,
  LogRecords,
  NO_HEAD,
  openBase,
  type PruneReport,
  planPrune,
  proveReplica,
  resolveLimits,
  type SessionHead,
  type SessionPage,
  type SessionStore,
  type StoredReplica,
  sealBase,
} from "@sojourn/core";
import { StoreHandle } from "../store-handle.js";

/** A record or base in its stored form. */
interface Kept {
  readonly epoch: number;
  readonly version: number;
  readonly bytes: Uint8Array;
}

interface KeptSession {
  readonly head: SessionHead;
  /** In no order; at most one of a position. */
  readonly bases: readonly Kept[];
  /** Grows in place. */
  readonly log: Kept[];
}

function nothing(head: SessionHead = NO_HEAD): KeptSession {
  return { head, bases: [], log: [] };
}

/** What a memory store keeps. Handles that share it are handles of the same store, and it outlives them. */
export class MemoryStoreContents {
  readonly #sessions = new Map<string, KeptSession>();

  /** What is kept of one session. */
  get(session: string): KeptSession {
    return this.#sessions.get(session) ?? nothing();
  }

  /** Replaces what is kept of one session. */
  set(session: string, kept: KeptSession): void {
    this.#sessions.set(session, kept);
  }

  /** Keeps nothing of it any more. */
  drop(session: string): void {
    this.#sessions.delete(session);
  }

  /** Every session of which anything is kept, sorted. */
  sessions(): readonly string[] {
    return [...this.#sessions.keys()].sort();
  }

  /** Bytes of all bases and records. */
  get bytes(): number {
    let total = 0;
    for (const { bases, log } of this.#sessions.values()) for (const { bytes } of [...bases, ...log]) total += bytes.length;
    return total;
  }
}

/** How a memory store is made. */
export interface MemorySessionStoreOptions {
  /** Shared with other handles; without it the store is alone. */
  readonly contents?: MemoryStoreContents;
  readonly limits?: Partial<Limits>;
}

/**
 * Keeps replicas in this process: for development, for tests, and as the model that the other stores are compared with. Nothing
 * survives the process. @throws SojournError `E_LIMIT_INVALID`
 */
export function createMemorySessionStore(options: MemorySessionStoreOptions = {}): SessionStore {
  return new MemorySessionStore(options.contents ?? new MemoryStoreContents(), resolveLimits(options.limits));
}

class MemorySessionStore implements SessionStore {
  readonly #contents: MemoryStoreContents;
  readonly #limits: Limits;
  readonly #records: LogRecords;
  readonly #handle = new StoreHandle();

  constructor(contents: MemoryStoreContents, limits: Limits) {
    this.#contents = contents;
    this.#limits = limits;
    this.#records = new LogRecords(crc32, limits.maxStoreRecordBytes);
  }

  async fence(session: string, epoch: number): ReturnType<SessionStore["fence"]> {
    this.#handle.check(session);
    const kept = this.#contents.get(session);
    const judged = judgeFence(kept.head, epoch);
    if (judged.outcome === "stale") return judged;
    this.#contents.set(session, { ...kept, head: judged.head });
    return { outcome: "fenced" };
  }

  async putBase(session: string, base: BaseWrite): ReturnType<SessionStore["putBase"]> {
    this.#handle.check(session);
    const early = judgeBase(this.#contents.get(session).head, base);
    if (early.outcome === "stale") return early;
    const { maxSnapshotBytes: maxBytes, storePieceBytes: pieceBytes } = this.#limits;
    const pieces: Uint8Array[] = [];
    for await (const piece of sealBase(session, base, { crc32, maxBytes, pieceBytes })) pieces.push(piece);
    this.#handle.check(session);
    const kept = this.#contents.get(session);
    const judged = judgeBase(kept.head, base);
    if (judged.outcome === "stale") return judged;
    const { epoch, version } = base;
    const others = kept.bases.filter((other) => other.epoch !== epoch || other.version !== version);
    this.#contents.set(session, { ...kept, head: judged.head, bases: [...others, { epoch, version, bytes: joinPieces(pieces) }] });
    return { outcome: "stored" };
  }

  async append(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]> {
    this.#handle.checkOpen();
    return entries.map((entry) => this.#appendOne(entry));
  }

  #appendOne(entry: LogEntry): AppendOutcome {
    const bytes = this.#records.prepare(entry);
    if (!(bytes instanceof Uint8Array)) return bytes;
    const { session, record } = entry;
    const kept = this.#contents.get(session);
    const judged = judgeRecord(kept.head, record);
    if (judged.outcome === "known") return { outcome: "appended" };
    if (judged.outcome !== "accepted") return judged;
    const { epoch, version } = record;
    kept.log.push({ epoch, version, bytes });
    this.#contents.set(session, { ...kept, head: judged.head });
    return { outcome: "appended" };
  }

  async read(session: string): Promise<StoredReplica | null> {
    this.#handle.check(session);
    const { head, bases, log } = this.#contents.get(session);
    const records = log.map((at) => this.#records.decode(session, at.bytes) ?? { damaged: at });
    const candidates = bases.map((at) => ({ at, load: async () => openBase(session, at.bytes, crc32) }));
    return proveReplica({ session, head, bases: candidates, records }, crc32);
  }

  async list({ prefix, after, limit }: ListQuery): Promise<SessionPage> {
    this.#handle.checkOpen();
    const all = this.#contents.sessions().filter((session) => isUnder(session, prefix) && (after === undefined || session > after));
    const sessions = all.slice(0, Math.min(limit, this.#limits.maxStoreListEntries));
    return { sessions, next: sessions.length < all.length ? (sessions.at(-1) ?? null) : null };
  }

  async remove(session: string, epoch: number): ReturnType<SessionStore["remove"]> {
    this.#handle.check(session);
    const judged = judgeRemove(this.#contents.get(session).head, epoch);
    if (judged.outcome === "stale") return judged;
    this.#contents.set(session, nothing(judged.head));
    return { outcome: "removed" };
  }

  async forget(session: string): ReturnType<SessionStore["forget"]> {
    this.#handle.check(session);
    const { bases, log } = this.#contents.get(session);
    if (bases.length > 0 || log.length > 0) return { outcome: "kept" };
    this.#contents.drop(session);
    return { outcome: "forgotten" };
  }

  async prune(session: string, keepBases: number): Promise<PruneReport> {
    this.#handle.check(session);
    const plan = await planPrune(
      this.#contents.get(session).bases,
      keepBases,
      async (base) => openBase(session, base.bytes, crc32) !== null,
    );
    const kept = this.#contents.get(session);
    const bases = kept.bases.filter((base) => !plan.remove.includes(base));
    const log = kept.log.filter((record) => !isBefore(record, plan.logFrom));
    if (bases.length < kept.bases.length || log.length < kept.log.length) this.#contents.set(session, { head: kept.head, bases, log });
    return {
      keptBases: bases.length,
      removedBases: kept.bases.length - bases.length,
      removedRecords: kept.log.length - log.length,
      damagedBases: plan.damagedBases,
    };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
