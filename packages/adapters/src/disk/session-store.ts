import { randomBytes } from "node:crypto";
import { statfsSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { crc32 } from "node:zlib";
import {
  type AppendOutcome,
  appendFailed,
  type BaseWrite,
  isBefore,
  type Judged,
  joinPieces,
  judgeBase,
  judgeFence,
  judgeRecord,
  judgeRemove,
  type Limits,
  type ListQuery,
  type LogEntry,
  LogRecords,
  openBase,
  type PruneReport,
  planPrune,
  proveReplica,
  resolveLimits,
  type SessionHead,
  type SessionPage,
  type SessionStore,
  SojournError,
  type StoredBase,
  type StoredReplica,
  sealBase,
} from "@sojourn/core";
import type { Transaction } from "lmdb";
import { StoreHandle } from "../store-handle.js";
import { type HeadChange, HeadChanges } from "./head-changes.js";
import { mayBeInTheMaking } from "./lmdb-file.js";
import { asDiskError, committed, endsOf, openLmdb } from "./open-lmdb.js";
import { type BaseRow, type HeadRow, SessionRows } from "./session-rows.js";

/** Where and how replicas are kept on disk. */
export interface DiskSessionStoreOptions {
  /** A folder of the store's own; it is made when it is missing. */
  readonly path: string;
  readonly limits?: Partial<Limits>;
}

const FORMAT = "sojourn-sessions 1";
/** With less room than this beside what was to be written, a failed write counts as one for which there was no room. */
const FULL_BYTES = 1_048_576;
const MAP_FULL = -30_792;
const APPENDED: AppendOutcome = { outcome: "appended" };
/** How often, and after which pause, a store that another process may be making is looked at again before it counts as damaged. */
const MAKING_LOOKS = 20;
const MAKING_PAUSE_MS = 10;
/** Pieces read or written before others get their turn. */
const PIECES_AT_ONCE = 16;

/**
 * Keeps replicas in LMDB on the local disk: what was answered is flushed. Appends of one turn and of all sessions share a commit.
 * Several handles may be open, in several processes too; opening one breaks off the large snapshots that others are just writing.
 * @throws SojournError `E_DISK` when the folder cannot be used or is not a store's, `E_LIMIT_INVALID`
 */
export async function openDiskSessionStore(options: DiskSessionStoreOptions): Promise<SessionStore> {
  for (let looks = 1; looks < MAKING_LOOKS && mayBeInTheMaking(options.path); looks++) await pause(MAKING_PAUSE_MS);
  const store = asDiskError("the store could not be opened", () => new DiskSessionStore(options));
  await store.begin();
  return store;
}

class DiskSessionStore implements SessionStore {
  readonly #path: string;
  readonly #limits: Limits;
  readonly #records: LogRecords;
  readonly #rows: SessionRows;
  readonly #heads: HeadChanges;
  readonly #handle = new StoreHandle();

  constructor({ path, limits }: DiskSessionStoreOptions) {
    this.#path = path;
    this.#limits = resolveLimits(limits);
    this.#records = new LogRecords(crc32, this.#limits.maxStoreRecordBytes);
    this.#rows = openLmdb(path, FORMAT, (root) => new SessionRows(root, this.#records));
    this.#heads = new HeadChanges(this.#rows);
  }

  async begin(): Promise<void> {
    await this.#writing(0, this.#rows.dropUploads());
  }

  async fence(session: string, epoch: number): ReturnType<SessionStore["fence"]> {
    this.#handle.check(session);
    const judged = await this.#change(session, 0, (head) => judgeFence(head, epoch));
    return judged.outcome === "stale" ? judged : { outcome: "fenced" };
  }

  async putBase(session: string, base: BaseWrite): ReturnType<SessionStore["putBase"]> {
    this.#handle.check(session);
    const early = judgeBase(this.#headOf(session).head, base);
    if (early.outcome === "stale") return early;
    const at = { epoch: base.epoch, version: base.version };
    const { maxSnapshotBytes: maxBytes, storePieceBytes: pieceBytes } = this.#limits;
    const pieces = sealBase(session, base, { crc32, maxBytes, pieceBytes });
    const first = (await pieces.next()).value ?? new Uint8Array(0);
    if (first.length < pieceBytes) return this.#commitBase(session, base, { at, sealed: first });
    const upload = randomBytes(16).toString("latin1");
    try {
      const count = await this.#upload(upload, first, pieces);
      return await this.#commitBase(session, base, { at, upload, pieces: count });
    } catch (error) {
      if (!this.#handle.closed) await this.#rows.dropUpload(upload).catch(() => undefined);
      throw error;
    }
  }

  /** Writes pieces as they come, a few ahead of the disk. */
  async #upload(upload: string, first: Uint8Array, rest: AsyncIterable<Uint8Array>): Promise<number> {
    await this.#writing(0, this.#rows.beginUpload(upload));
    let count = 0;
    let writes: Promise<boolean>[] = [];
    const put = (piece: Uint8Array): void => {
      const write = this.#rows.putPiece(upload, count++, piece);
      // It may fail while the next piece is waited for; the wait for all of them tells.
      write.catch(() => undefined);
      writes.push(write);
    };
    put(first);
    for await (const piece of rest) {
      this.#handle.checkOpen();
      put(piece);
      if (writes.length < PIECES_AT_ONCE) continue;
      await this.#writing(writes.length * piece.length, Promise.all(writes));
      writes = [];
    }
    await this.#writing(writes.length * first.length, Promise.all(writes));
    return count;
  }

  async #commitBase(session: string, base: BaseWrite, row: BaseRow): ReturnType<SessionStore["putBase"]> {
    const judged = await this.#change(
      session,
      "sealed" in row ? row.sealed.length : 0,
      (head) => judgeBase(head, base),
      () => {
        if ("upload" in row && !this.#rows.isUploading(row.upload)) {
          throw new SojournError("E_STORE_UNAVAILABLE", "the snapshot was broken off: the store was opened once more");
        }
        this.#rows.putBase(session, row);
      },
    );
    if (judged.outcome === "accepted") return { outcome: "stored" };
    if ("upload" in row) await this.#rows.dropUpload(row.upload);
    return judged;
  }

  append(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]> {
    try {
      this.#handle.checkOpen();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#handle.track(this.#appendAll(entries));
  }

  /** Everything is written before anything is waited for, so that it shares a commit; what must be judged again goes on alone. */
  async #appendAll(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]> {
    const outcomes: (AppendOutcome | Promise<AppendOutcome>)[] = [];
    const begun: { readonly at: number; readonly bytes: Uint8Array; readonly change: HeadChange }[] = [];
    for (const [at, entry] of entries.entries()) {
      const bytes = this.#records.prepare(entry);
      if (!(bytes instanceof Uint8Array)) {
        outcomes[at] = bytes;
        continue;
      }
      const change = this.#beginRecord(entry, bytes);
      if (change === null) outcomes[at] = this.#appendOne(entry, bytes);
      else begun.push({ at, bytes, change });
    }
    const ends = await endsOf(begun.map(({ change }) => change.write));
    for (const [i, { at, bytes, change }] of begun.entries()) {
      const end = ends[i];
      const done = end !== undefined && "answer" in end && end.answer;
      this.#heads.ended(change, done);
      if (done) outcomes[at] = APPENDED;
      else if (end !== undefined && "reason" in end) outcomes[at] = appendFailed(this.#writeError(bytes.length, end.reason));
      else outcomes[at] = this.#appendOne(entries[at] as LogEntry, bytes);
    }
    return Promise.all(outcomes);
  }

  /** Null when the record is not accepted as things stand. */
  #beginRecord({ session, record }: LogEntry, bytes: Uint8Array): HeadChange | null {
    try {
      const from = this.#heads.headOf(session);
      const judged = judgeRecord(from.head, record);
      if (judged.outcome !== "accepted") return null;
      return this.#heads.begin(session, from, judged.head, () => this.#rows.putRecord(session, record, bytes));
    } catch {
      return null; // told by the attempt that follows
    }
  }

  async #appendOne({ session, record }: LogEntry, bytes: Uint8Array): Promise<AppendOutcome> {
    try {
      const judged = await this.#change(
        session,
        bytes.length,
        (head) => judgeRecord(head, record),
        () => this.#rows.putRecord(session, record, bytes),
      );
      return judged.outcome === "accepted" || judged.outcome === "known" ? APPENDED : judged;
    } catch (error) {
      return appendFailed(error);
    }
  }

  async read(session: string): Promise<StoredReplica | null> {
    this.#handle.check(session);
    return this.#reading(session, async (transaction) => {
      const rows = this.#rows;
      const { head } = rows.head(session, transaction);
      const bases = rows.baseRows(session, transaction).map((row) => ({ at: row.at, load: () => this.#load(session, row, transaction) }));
      return proveReplica({ session, head, bases, records: rows.records(session, transaction) }, crc32);
    });
  }

  async #load(session: string, row: BaseRow, transaction: Transaction): Promise<StoredBase | null> {
    if ("sealed" in row) return openBase(session, row.sealed, crc32);
    const pieces: Uint8Array[] = [];
    for (let i = 0; i < row.pieces; i++) {
      const piece = this.#rows.piece(row.upload, i, transaction);
      if (piece === undefined) return null;
      pieces.push(piece);
      if (i % PIECES_AT_ONCE === PIECES_AT_ONCE - 1) await nextTurn();
    }
    return openBase(session, joinPieces(pieces), crc32);
  }

  async list({ prefix, after, limit }: ListQuery): Promise<SessionPage> {
    this.#handle.checkOpen();
    const most = Math.min(limit, this.#limits.maxStoreListEntries);
    const segments = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
    this.#rows.refresh();
    const found: string[] = [];
    if (segments !== "" && after === undefined && this.#rows.hasHead(segments)) found.push(segments);
    // What lies under "a/" ends before "a0", the next character.
    const under = segments === "" ? undefined : `${segments}/`;
    const start = after === undefined || (under !== undefined && after < under) ? under : after;
    for (const session of this.#rows.sessions(start, under === undefined ? undefined : `${segments}0`, most + 2)) {
      if (session !== after) found.push(session);
    }
    const sessions = found.slice(0, most);
    return { sessions, next: found.length > most ? (sessions.at(-1) ?? null) : null };
  }

  async remove(session: string, epoch: number): ReturnType<SessionStore["remove"]> {
    this.#handle.check(session);
    const judged = await this.#change(
      session,
      0,
      (head) => judgeRemove(head, epoch),
      () => {
        for (const { at } of this.#rows.baseRows(session)) this.#rows.dropBase(session, at);
        for (const at of this.#rows.recordKeys(session)) this.#rows.dropRecord(session, at);
      },
    );
    return judged.outcome === "stale" ? judged : { outcome: "removed" };
  }

  async forget(session: string): ReturnType<SessionStore["forget"]> {
    this.#handle.check(session);
    this.#rows.refresh();
    const { head, version } = this.#headOf(session);
    if (head.base !== null || head.log !== null) return { outcome: "kept" };
    if (version === null) return { outcome: "forgotten" };
    return { outcome: (await this.#writing(0, this.#rows.dropHead(session, version))) ? "forgotten" : "kept" };
  }

  async prune(session: string, keepBases: number): Promise<PruneReport> {
    this.#handle.check(session);
    return this.#reading(session, async (transaction) => {
      const bases = this.#rows.baseRows(session, transaction).map((row) => ({ ...row.at, row }));
      const plan = await planPrune(bases, keepBases, async ({ row }) => (await this.#load(session, row, transaction)) !== null);
      this.#handle.checkOpen();
      const records = this.#rows.recordKeys(session).filter((at) => isBefore(at, plan.logFrom));
      if (plan.remove.length > 0 || records.length > 0) {
        const removed = this.#rows.together(() => {
          for (const base of plan.remove) this.#rows.dropBase(session, base);
          for (const at of records) this.#rows.dropRecord(session, at);
        });
        await this.#writing(0, removed);
        await this.#writing(0, this.#rows.settleRoom());
      }
      return {
        keptBases: plan.keep.length,
        removedBases: plan.remove.length,
        removedRecords: records.length,
        damagedBases: plan.damagedBases,
      };
    });
  }

  async close(): Promise<void> {
    if (this.#handle.closed) return;
    await this.#handle.close();
    await this.#rows.root.close();
  }

  /** Judges a write against the head and writes both, again and again while other handles come first. */
  async #change<Refusal extends { readonly outcome: string }>(
    session: string,
    bytes: number,
    judge: (head: SessionHead) => Judged<Refusal>,
    also: () => void = () => undefined,
  ): Promise<Judged<Refusal>> {
    for (;;) {
      this.#handle.checkOpen();
      const before = this.#heads.last(session);
      const from = this.#headOf(session);
      const judged = judge(from.head);
      if (judged.outcome === "accepted" && "head" in judged) {
        if (await this.#changed(this.#heads.begin(session, from, judged.head, also), bytes)) return judged;
      } else if (before !== undefined) {
        // What it was judged on has to be there first.
        if (await before.write.catch(() => false)) return judged;
      } else {
        this.#rows.refresh();
        if (this.#headOf(session).version === from.version) return judged;
      }
    }
  }

  #headOf(session: string): HeadRow {
    return asDamage(session, () => this.#heads.headOf(session));
  }

  async #changed(change: HeadChange, bytes: number): Promise<boolean> {
    let done = false;
    try {
      done = await this.#writing(bytes, committed(change.write));
      return done;
    } finally {
      this.#heads.ended(change, done);
    }
  }

  async #reading<T>(session: string, read: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = this.#rows.snapshot();
    const reading = (async () => {
      try {
        return await read(transaction);
      } catch (cause) {
        throw cause instanceof SojournError ? cause : unreadable(session, cause);
      } finally {
        transaction.done();
      }
    })();
    return this.#handle.track(reading);
  }

  async #writing<T>(bytes: number, write: Promise<T>): Promise<T> {
    try {
      return await this.#handle.track(write);
    } catch (cause) {
      throw cause instanceof SojournError ? cause : this.#writeError(bytes, cause);
    }
  }

  /** LMDB tells a write that came short as EIO, whatever the reason; a look at the disk tells whether it is full. */
  #writeError(bytes: number, cause: unknown): SojournError {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const free = freeBytes(this.#path);
    if (code === MAP_FULL || (free !== null && free < bytes + FULL_BYTES)) {
      return new SojournError("E_STORE_FULL", `the disk of the store is full: ${free ?? 0} bytes are free`, { freeBytes: free }, cause);
    }
    return new SojournError("E_STORE_UNAVAILABLE", "the store could not be written", {}, cause);
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function asDamage<T>(session: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof SojournError ? cause : unreadable(session, cause);
  }
}

function unreadable(session: string, cause: unknown): SojournError {
  return new SojournError("E_STORE_DAMAGED", `the store's file cannot be read where "${session}" lies`, { session }, cause);
}
