import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  ByteWriter,
  comparePositions,
  type DamagedRecord,
  decodeHead,
  encodeHead,
  type LogRecord,
  type LogRecords,
  NO_HEAD,
  newerOf,
  openBase,
  type Position,
  type SessionHead,
} from "@sojourn/core";
import type { Database, RootDatabase, Transaction } from "lmdb";
import { committed } from "./open-lmdb.js";

type At = Pick<Position, "epoch" | "version">;
/** Session, epoch, version. */
type RowKey = [session: string, epoch: number, version: number];

/** A base row: whole, or the name of an upload with the number of its pieces. */
export type BaseRow = { readonly at: At } & ({ readonly sealed: Uint8Array } | { readonly upload: string; readonly pieces: number });

const INLINE = 1;
const PIECES = 2;
const UPLOAD_BYTES = 16;
/** Nothing of a session sorts after it. */
const LAST = Number.MAX_SAFE_INTEGER;
const COUNTER = 2 ** 26;

/** A head and what names exactly this writing of it; version null: there is none. */
export interface HeadRow {
  readonly head: SessionHead;
  readonly version: number | null;
}

/**
 * The tables of a session store in LMDB: a head, bases and records of each session, and the pieces of large bases. Everything that
 * changes a head is conditional on the head that was read, by a number that is never used twice.
 */
export class SessionRows {
  readonly root: RootDatabase<string, string>;
  readonly #heads: Database<Uint8Array, string>;
  readonly #bases: Database<Uint8Array, RowKey>;
  readonly #log: Database<Uint8Array, RowKey>;
  readonly #pieces: Database<Uint8Array, [string, number]>;
  /** Uploads under way; what is left of them at the next opening is thrown away. */
  readonly #uploads: Database<Uint8Array, string>;
  readonly #records: LogRecords;
  readonly #scratch = new ByteWriter(128);
  readonly #tag = randomInt(COUNTER) * COUNTER;
  #count = 0;

  constructor(root: RootDatabase<string, string>, records: LogRecords) {
    this.root = root;
    this.#records = records;
    this.#heads = root.openDB<Uint8Array, string>({ name: "heads", encoding: "binary", useVersions: true });
    this.#bases = root.openDB<Uint8Array, RowKey>({ name: "bases", encoding: "binary" });
    this.#log = root.openDB<Uint8Array, RowKey>({ name: "log", encoding: "binary" });
    this.#pieces = root.openDB<Uint8Array, [string, number]>({ name: "pieces", encoding: "binary" });
    this.#uploads = root.openDB<Uint8Array, string>({ name: "uploads", encoding: "binary" });
  }

  /** Reads from now on see what is committed now; otherwise those of one turn share a snapshot. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  /** A snapshot for reads of several turns; `done()` gives it back. */
  snapshot(): Transaction {
    this.refresh();
    return this.root.useReadTransaction();
  }

  /** A damaged head is made up from the rows: fences without a write are then forgotten. */
  head(session: string, transaction?: Transaction): HeadRow {
    const entry = this.#heads.getEntry(session, transaction === undefined ? {} : { transaction });
    if (entry === undefined) return { head: NO_HEAD, version: null };
    const version = entry.version ?? 0;
    return { head: decodeHead(session, entry.value, crc32, this.#scratch) ?? this.#headFromRows(session, transaction), version };
  }

  #headFromRows(session: string, transaction?: Transaction): SessionHead {
    let log: Position | null = null;
    for (const record of this.records(session, transaction)) if (!("damaged" in record)) log = newerOf(log, positionOf(record));
    let base: Position | null = null;
    for (const row of this.baseRows(session, transaction)) {
      const whole = "sealed" in row ? openBase(session, row.sealed, crc32) : null;
      base = newerOf(base, whole === null ? { ...row.at, hash: 0 } : positionOf(whole));
    }
    return { fence: newerOf(base, log)?.epoch ?? 0, base, log };
  }

  /** Every session with a head after `start`, in the order of bytes, up to `end`. */
  sessions(start: string | undefined, end: string | undefined, limit: number): string[] {
    const range = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }), limit };
    return [...this.#heads.getKeys(range)];
  }

  hasHead(session: string): boolean {
    return this.#heads.doesExist(session);
  }

  baseRows(session: string, transaction?: Transaction): BaseRow[] {
    const range = { start: firstOf(session), end: lastOf(session), ...(transaction === undefined ? {} : { transaction }) };
    return [...this.#bases.getRange(range)].map(({ key: [, epoch, version], value }) => {
      const at = { epoch, version };
      if (value[0] !== PIECES) return { at, sealed: value.subarray(1) };
      const upload = Buffer.from(value.buffer, value.byteOffset + 5, UPLOAD_BYTES).toString("latin1");
      return { at, upload, pieces: new DataView(value.buffer, value.byteOffset).getUint32(1, true) };
    });
  }

  records(session: string, transaction?: Transaction): (LogRecord | DamagedRecord)[] {
    const range = { start: firstOf(session), end: lastOf(session), ...(transaction === undefined ? {} : { transaction }) };
    return [...this.#log.getRange(range)].map(
      ({ key: [, epoch, version], value }) => this.#records.decode(session, value) ?? { damaged: { epoch, version } },
    );
  }

  recordKeys(session: string): At[] {
    return [...this.#log.getKeys({ start: firstOf(session), end: lastOf(session) })].map(([, epoch, version]) => ({ epoch, version }));
  }

  piece(upload: string, index: number, transaction: Transaction): Uint8Array | undefined {
    return this.#pieces.get([upload, index], { transaction });
  }

  /** A number for the next writing of a head. Only random and its own, or another handle's could be taken for it. */
  nextVersion(): number {
    this.#count = (this.#count + 1) % COUNTER;
    return this.#tag + this.#count;
  }

  /**
   * Writes a head and what belongs to it, if the head is still the one of this version. One commit, or nothing. What it rejects with is
   * LMDB's own: for `committed`.
   */
  change(session: string, expected: number | null, head: SessionHead, version: number, also: () => void): Promise<boolean> {
    const write = (): void => {
      void this.#heads.put(session, encodeHead(session, head, crc32, this.#scratch), version);
      also();
    };
    return expected === null ? this.#heads.ifNoExists(session, write) : this.#heads.ifVersion(session, expected, write);
  }

  dropHead(session: string, expected: number): Promise<boolean> {
    return committed(this.#heads.ifVersion(session, expected, () => void this.#heads.remove(session)));
  }

  /** An empty commit: LMDB uses pages that one commit freed only in the commit after the next. */
  settleRoom(): Promise<boolean> {
    return committed(this.root.put("room", "settled"));
  }

  /** Several writes as one commit. */
  together(writes: () => void): Promise<boolean> {
    return committed(this.root.batch(writes));
  }

  // The following are parts of a change: their commit is the change's.

  putRecord(session: string, { epoch, version }: At, bytes: Uint8Array): void {
    void this.#log.put([session, epoch, version], bytes);
  }

  putBase(session: string, row: BaseRow): void {
    this.dropBase(session, row.at);
    const { epoch, version } = row.at;
    let value: Uint8Array;
    if ("sealed" in row) {
      value = new Uint8Array(1 + row.sealed.length);
      value[0] = INLINE;
      value.set(row.sealed, 1);
    } else {
      const named = Buffer.alloc(5 + UPLOAD_BYTES);
      named[0] = PIECES;
      named.writeUInt32LE(row.pieces, 1);
      named.write(row.upload, 5, "latin1");
      value = named;
      void this.#uploads.remove(row.upload);
    }
    void this.#bases.put([session, epoch, version], value);
  }

  dropBase(session: string, { epoch, version }: At): void {
    for (const row of this.baseRows(session)) {
      if (comparePositions(row.at, { epoch, version }) !== 0) continue;
      void this.#bases.remove([session, epoch, version]);
      if ("upload" in row) this.#dropPieces(row.upload);
    }
  }

  dropRecord(session: string, { epoch, version }: At): void {
    void this.#log.remove([session, epoch, version]);
  }

  #dropPieces(upload: string): void {
    for (const key of this.#pieces.getKeys({ start: [upload, 0], end: [upload, LAST] })) void this.#pieces.remove(key);
  }

  /** Begins an upload: pieces that nothing names yet. */
  async beginUpload(upload: string): Promise<void> {
    await committed(this.#uploads.put(upload, new Uint8Array(0)));
  }

  isUploading(upload: string): boolean {
    return this.#uploads.doesExist(upload);
  }

  putPiece(upload: string, index: number, piece: Uint8Array): Promise<boolean> {
    return committed(this.#pieces.put([upload, index], piece));
  }

  async dropUpload(upload: string): Promise<void> {
    await this.together(() => {
      this.#dropPieces(upload);
      void this.#uploads.remove(upload);
    });
  }

  /** Throws away what broken uploads left. */
  async dropUploads(): Promise<void> {
    for (const upload of [...this.#uploads.getKeys()]) await this.dropUpload(upload);
  }
}

function firstOf(session: string): RowKey {
  return [session, 0, 0];
}

function lastOf(session: string): RowKey {
  return [session, LAST, LAST];
}

function positionOf({ epoch, version, hash }: Position): Position {
  return { epoch, version, hash };
}
