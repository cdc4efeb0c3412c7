import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  type AppendOutcome,
  appendFailed,
  type BaseWrite,
  type DamagedRecord,
  joinPieces,
  type Limits,
  type ListQuery,
  type LogEntry,
  type LogRecord,
  LogRecords,
  openBase,
  type Position,
  type PruneReport,
  planPrune,
  proveReplica,
  resolveLimits,
  type SessionHead,
  type SessionPage,
  type SessionStore,
  SojournError,
  type StaleWrite,
  type StoredBase,
  type StoredReplica,
  sealBase,
} from "@sojourn/core";
import { StoreHandle } from "../store-handle.js";
import { commandsOf, listOf, type RedisClient, type Reply, type SendCommand, textOf } from "./client.js";
import { APPEND, BASE, FENCE, FORGET, PRUNE, READ, REMOVE } from "./scripts.js";
import { StoreKeys } from "./store-keys.js";

/** How replicas are kept in Redis. */
export interface RedisSessionStoreOptions {
  /** A connected client of `redis` or `ioredis`. The application made it and closes it. */
  readonly client: RedisClient;
  /** Before every key; several stores may share a server. Default `sojourn`. */
  readonly name?: string;
  readonly limits?: Partial<Limits>;
}

/** Pieces of an upload that was broken off go away by themselves after this. */
const UPLOAD_TTL_MS = 3_600_000;
/** Pieces written or read at the same time. */
const PIECES_AT_ONCE = 8;
/** A base whose pieces were replaced while they were read is read again this often. */
const READS = 5;

/** A row of the hash of bases: `S` and the sealed base, or `P`, the name of an upload, `:`, and the number of its pieces. */
type BaseRow = { readonly at: Pick<Position, "epoch" | "version">; readonly field: string; readonly row: Buffer };

/** A piece is gone that a base names, because the base was replaced or pruned meanwhile. */
class PiecesChanged extends Error {}

/**
 * Keeps replicas in Redis 6 or later, or what speaks like it: in the memory of one server, and as durable as the server is (with
 * `appendfsync always` what was answered is on its disk). Every write is judged by a script inside the server.
 * @throws SojournError `E_CONFIG_INVALID` when the server may evict keys, `E_STORE_UNAVAILABLE`, `E_LIMIT_INVALID`
 */
export async function openRedisSessionStore(options: RedisSessionStoreOptions): Promise<SessionStore> {
  const store = new RedisSessionStore(options);
  await store.begin();
  return store;
}

class RedisSessionStore implements SessionStore {
  readonly #send: SendCommand;
  readonly #keys: StoreKeys;
  readonly #limits: Limits;
  readonly #records: LogRecords;
  readonly #handle = new StoreHandle();

  constructor({ client, name = "sojourn", limits }: RedisSessionStoreOptions) {
    this.#limits = resolveLimits(limits);
    const send = commandsOf(client, this.#limits.storeTimeoutMs);
    this.#send = (...args) => this.#handle.track(send(...args));
    this.#keys = new StoreKeys(name);
    this.#records = new LogRecords(crc32, this.#limits.maxStoreRecordBytes);
  }

  /** A server that evicts keys when it is full would lose fences and bases without a word. */
  async begin(): Promise<void> {
    for (const script of shas.keys()) await this.#send("SCRIPT", "LOAD", script);
    const policy = /^maxmemory_policy:(.*?)\r?$/m.exec(textOf(await this.#send("INFO", "memory")))?.[1] ?? "noeviction";
    if (policy !== "noeviction") {
      throw new SojournError("E_CONFIG_INVALID", `Redis may evict keys (maxmemory-policy ${policy}); a store needs "noeviction"`, {
        policy,
      });
    }
  }

  async fence(session: string, epoch: number): ReturnType<SessionStore["fence"]> {
    this.#handle.check(session);
    const reply = await this.#script(FENCE, [this.#keys.head(session), this.#keys.index], [session, String(epoch)]);
    return staleOf(reply) ?? { outcome: "fenced" };
  }

  async putBase(session: string, base: BaseWrite): ReturnType<SessionStore["putBase"]> {
    this.#handle.check(session);
    const fence = textOf(await this.#send("HGET", this.#keys.head(session), "f"));
    if (base.epoch < Number(fence)) return { outcome: "stale", epoch: Number(fence) };
    const { maxSnapshotBytes: maxBytes, storePieceBytes: pieceBytes } = this.#limits;
    const sealed = sealBase(session, base, { crc32, maxBytes, pieceBytes });
    const first = (await sealed.next()).value ?? new Uint8Array(0);
    if (first.length < pieceBytes) return this.#commitBase(session, base, Buffer.concat([Buffer.from("S"), first]), []);
    const upload = randomBytes(12).toString("hex");
    const pieces: string[] = [];
    try {
      await this.#upload(upload, first, sealed, pieces);
      const stored = await this.#commitBase(session, base, Buffer.from(`P${upload}:${pieces.length}`), pieces);
      if (stored.outcome === "stale") await this.#dropPieces(pieces);
      return stored;
    } catch (error) {
      if (!this.#handle.closed) await this.#dropPieces(pieces).catch(() => undefined);
      throw error;
    }
  }

  async #upload(upload: string, first: Uint8Array, rest: AsyncIterable<Uint8Array>, pieces: string[]): Promise<void> {
    let writes: Promise<Reply>[] = [];
    const put = (piece: Uint8Array): void => {
      const key = this.#keys.piece(upload, pieces.length);
      pieces.push(key);
      const write = this.#send("SET", key, bufferOf(piece), "PX", String(UPLOAD_TTL_MS));
      // It may fail while the next piece is waited for; the wait for all of them tells.
      write.catch(() => undefined);
      writes.push(write);
    };
    put(first);
    for await (const piece of rest) {
      this.#handle.checkOpen();
      put(piece);
      if (writes.length < PIECES_AT_ONCE) continue;
      await Promise.all(writes);
      writes = [];
    }
    await Promise.all(writes);
  }

  async #commitBase(session: string, base: BaseWrite, row: Buffer, pieces: readonly string[]): ReturnType<SessionStore["putBase"]> {
    this.#handle.checkOpen();
    const keys = [this.#keys.head(session), this.#keys.index, this.#keys.bases(session), ...pieces];
    const { epoch, version, hash } = base;
    const reply = await this.#script(BASE, keys, [session, `${epoch}`, `${version}`, `${hash}`, row, this.#keys.pieces]);
    if (textOf(listOf(reply)[0]) === "expired") {
      throw new SojournError("E_STORE_UNAVAILABLE", "the snapshot took so long that its first pieces were thrown away");
    }
    return staleOf(reply) ?? { outcome: "stored" };
  }

  async #dropPieces(pieces: readonly string[]): Promise<void> {
    for (let at = 0; at < pieces.length; at += 512) await this.#send("DEL", ...pieces.slice(at, at + 512));
  }

  async append(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]> {
    this.#handle.checkOpen();
    // One connection keeps the order, and the client writes what comes in one turn together.
    return Promise.all(entries.map((entry) => this.#appendOne(entry)));
  }

  async #appendOne(entry: LogEntry): Promise<AppendOutcome> {
    const bytes = this.#records.prepare(entry);
    if (!(bytes instanceof Uint8Array)) return bytes;
    const { session, record } = entry;
    const { epoch, version, hash, fromVersion, fromHash } = record;
    try {
      const numbers = [epoch, version, hash, fromVersion, fromHash].map(String);
      const reply = await this.#script(APPEND, [this.#keys.head(session), this.#keys.log(session)], [...numbers, bufferOf(bytes)]);
      const [outcome, ...at] = listOf(reply).map(textOf);
      if (outcome === "gap") return { outcome, end: positionOf(at) };
      return staleOf(reply) ?? { outcome: "appended" };
    } catch (error) {
      return appendFailed(error);
    }
  }

  async read(session: string): Promise<StoredReplica | null> {
    this.#handle.check(session);
    return this.#whileChanging(async () => {
      const { head, bases, records } = await this.#found(session);
      const candidates = bases.map((row) => ({ at: row.at, load: () => this.#load(session, row) }));
      return proveReplica({ session, head, bases: candidates, records }, crc32);
    });
  }

  async list({ prefix, after, limit }: ListQuery): Promise<SessionPage> {
    this.#handle.checkOpen();
    const most = Math.min(limit, this.#limits.maxStoreListEntries);
    const segments = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
    const found: string[] = [];
    if (segments !== "" && after === undefined && (await this.#send("ZSCORE", this.#keys.index, segments)) !== null) found.push(segments);
    // What lies under "a/" ends before "a0", the next character.
    const under = segments === "" ? "" : `${segments}/`;
    const start = after === undefined || Buffer.compare(Buffer.from(after), Buffer.from(under)) < 0 ? `[${under}` : `(${after}`;
    const range = [start === "[" ? "-" : start, segments === "" ? "+" : `(${segments}0`];
    const page = await this.#send("ZRANGEBYLEX", this.#keys.index, ...range, "LIMIT", "0", String(most + 1));
    found.push(...listOf(page).map(textOf));
    const sessions = found.slice(0, most);
    return { sessions, next: found.length > most ? (sessions.at(-1) ?? null) : null };
  }

  async remove(session: string, epoch: number): ReturnType<SessionStore["remove"]> {
    this.#handle.check(session);
    const keys = [this.#keys.head(session), this.#keys.index, this.#keys.bases(session), this.#keys.log(session)];
    const reply = await this.#script(REMOVE, keys, [session, `${epoch}`, `${epoch + 1}`, this.#keys.pieces]);
    return staleOf(reply) ?? { outcome: "removed" };
  }

  async forget(session: string): ReturnType<SessionStore["forget"]> {
    this.#handle.check(session);
    const reply = await this.#script(FORGET, [this.#keys.head(session), this.#keys.index], [session]);
    return { outcome: textOf(listOf(reply)[0]) === "kept" ? "kept" : "forgotten" };
  }

  async prune(session: string, keepBases: number): Promise<PruneReport> {
    this.#handle.check(session);
    const plan = await this.#whileChanging(async () => {
      const { bases } = await this.#found(session);
      const rows = bases.map((row) => ({ ...row.at, row }));
      return planPrune(rows, keepBases, async ({ row }) => (await this.#load(session, row)) !== null);
    });
    const { logFrom } = plan;
    const before = logFrom === null ? ["", ""] : [String(logFrom.epoch), String(logFrom.version)];
    const fields = plan.remove.map(({ row }) => row.field);
    const keys = [this.#keys.bases(session), this.#keys.log(session)];
    const [removedBases, removedRecords] = listOf(await this.#script(PRUNE, keys, [this.#keys.pieces, ...before, ...fields]));
    return {
      keptBases: plan.keep.length,
      removedBases: Number(removedBases),
      removedRecords: Number(removedRecords),
      damagedBases: plan.damagedBases,
    };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #found(
    session: string,
  ): Promise<{ readonly head: SessionHead; readonly bases: readonly BaseRow[]; readonly records: readonly (LogRecord | DamagedRecord)[] }> {
    const keys = [this.#keys.head(session), this.#keys.bases(session), this.#keys.log(session)];
    const [fields, baseReply, logReply] = listOf(await this.#script(READ, keys, []));
    const texts = listOf(fields).map((field) => (field === null ? undefined : textOf(field)));
    const head = { fence: Number(texts[0] ?? 0), base: positionOf(texts.slice(1, 4)), log: positionOf(texts.slice(4, 7)) };
    const flat = listOf(baseReply);
    const bases: BaseRow[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const field = textOf(flat[i]);
      const [epoch, version] = field.split(".").map(Number);
      const row = flat[i + 1];
      bases.push({ at: { epoch: epoch ?? 0, version: version ?? 0 }, field, row: Buffer.isBuffer(row) ? row : Buffer.alloc(0) });
    }
    return { head, bases, records: listOf(logReply).map((row) => this.#recordOf(session, row)) };
  }

  #recordOf(session: string, row: Reply): LogRecord | DamagedRecord {
    if (!Buffer.isBuffer(row)) return { damaged: null };
    const colon = row.indexOf(":");
    const record = this.#records.decode(session, row.subarray(colon + 1));
    if (record !== null) return record;
    const at = /^(\d+)\.(\d+)$/.exec(row.toString("latin1", 0, Math.max(0, colon)));
    return { damaged: at === null ? null : { epoch: Number(at[1]), version: Number(at[2]) } };
  }

  async #load(session: string, { field, row }: BaseRow): Promise<StoredBase | null> {
    if (row[0] !== "P".charCodeAt(0)) return openBase(session, row.subarray(1), crc32);
    const [upload, count] = row.toString("latin1", 1).split(":");
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < Number(count); at += PIECES_AT_ONCE) {
      const some = Array.from({ length: Math.min(PIECES_AT_ONCE, Number(count) - at) }, (_, i) => this.#keys.piece(upload ?? "", at + i));
      for (const piece of listOf(await this.#send("MGET", ...some))) {
        if (!Buffer.isBuffer(piece)) {
          const now = await this.#send("HGET", this.#keys.bases(session), field);
          if (!Buffer.isBuffer(now) || !now.equals(row)) throw new PiecesChanged();
          return null;
        }
        pieces.push(piece);
      }
    }
    return openBase(session, joinPieces(pieces), crc32);
  }

  async #whileChanging<T>(read: () => Promise<T>): Promise<T> {
    for (let i = 1; ; i++) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof PiecesChanged)) throw error;
        if (i === READS) throw new SojournError("E_STORE_UNAVAILABLE", "the session's snapshots changed faster than they were read");
      }
    }
  }

  async #script(script: string, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#send("EVALSHA", shaOf(script), ...rest);
    } catch (error) {
      // The server does not know the script yet, or has forgotten it.
      const cause = error instanceof SojournError ? error.cause : error;
      if (!(cause instanceof Error) || !cause.message.includes("NOSCRIPT")) throw error;
      return await this.#send("EVAL", script, ...rest);
    }
  }
}

const shas = new Map([FENCE, APPEND, BASE, REMOVE, FORGET, PRUNE, READ].map((script) => [script, sha1(script)]));

function shaOf(script: string): string {
  return shas.get(script) ?? sha1(script);
}

function sha1(script: string): string {
  return createHash("sha1").update(script).digest("hex");
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function positionOf(texts: readonly (string | undefined)[]): Position | null {
  const [epoch, version, hash] = texts;
  return epoch === undefined ? null : { epoch: Number(epoch), version: Number(version), hash: Number(hash) };
}

function staleOf(reply: Reply): StaleWrite | null {
  const [outcome, epoch] = listOf(reply);
  return textOf(outcome) === "stale" ? { outcome: "stale", epoch: Number(textOf(epoch)) } : null;
}
