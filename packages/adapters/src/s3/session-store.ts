import { crc32 } from "node:zlib";
import type { S3Client } from "@aws-sdk/client-s3";
import {
  type AppendOutcome,
  appendFailed,
  type BaseWrite,
  comparePositions,
  followLog,
  isBefore,
  type Limits,
  type ListQuery,
  type LogEntry,
  LogRecords,
  openBase,
  type PruneReport,
  planPrune,
  proveReplica,
  resolveLimits,
  type SessionPage,
  type SessionStore,
  SojournError,
  type StaleWrite,
  type StoredBase,
  type StoredReplica,
  sealBase,
} from "@sojourn/core";
import { StoreHandle } from "../store-handle.js";
import { ConditionalJournal } from "./conditional-journal.js";
import { detectFencing, type Fencing } from "./detect-fencing.js";
import { FenceJournal } from "./fence-journal.js";
import type { Encoded, Journal } from "./journal.js";
import { ObjectNames } from "./names.js";
import { Objects } from "./objects.js";
import { SessionFolders } from "./session-folders.js";

/** Where and how replicas are kept in an object store. */
export interface S3SessionStoreOptions {
  /** The application's client of any S3-compatible endpoint, with credentials, attempts and timeouts of its own. */
  readonly client: S3Client;
  readonly bucket: string;
  /** Before every key; several stores may share a bucket. Default `sojourn`. */
  readonly prefix?: string;
  /**
   * `conditional`: the server carries out `If-Match` and `If-None-Match`. `objects`: it does not. `detect` (the default) tries once, when the
   * store is made, and writes down which; all handles have to agree.
   */
  readonly fencing?: Fencing | "detect";
  readonly limits?: Partial<Limits>;
}

/** A base whose object went while it was looked for is looked for again, so often. */
const READS = 5;

/** Breaks off an upload whose epoch is over. */
class UploadStale extends Error {}

/** An object is gone that the journal named, because the base was replaced or pruned meanwhile. */
class BaseGone extends Error {}

/**
 * Keeps replicas in a bucket of S3, or of what speaks like it and shows a put at once to gets and lists. As durable as the bucket is.
 * @throws SojournError `E_CONFIG_INVALID` when the store was made with the other fencing, `E_STORE_UNAVAILABLE`, `E_LIMIT_INVALID`
 */
export async function openS3SessionStore(options: S3SessionStoreOptions): Promise<SessionStore> {
  const limits = resolveLimits(options.limits);
  const objects = new Objects(options.client, options.bucket, limits);
  const names = new ObjectNames(options.prefix ?? "sojourn");
  const fencing = await detectFencing(objects, names, options.fencing ?? "detect");
  const records = new LogRecords(crc32, limits.maxStoreRecordBytes);
  const folders = new SessionFolders(objects, names);
  const journal =
    fencing === "conditional"
      ? new ConditionalJournal(objects, folders, records, limits.maxRoutes)
      : new FenceJournal(objects, folders, records, limits.maxRoutes);
  return new S3SessionStore(objects, names, journal, records, limits);
}

interface Waiting extends Encoded {
  readonly resolve: (outcome: AppendOutcome) => void;
}

class S3SessionStore implements SessionStore {
  readonly #objects: Objects;
  readonly #names: ObjectNames;
  readonly #journal: Journal;
  readonly #records: LogRecords;
  readonly #limits: Limits;
  /** The last of the writes of each session; they come one after another. */
  readonly #lanes = new Map<string, Promise<unknown>>();
  /** Records that wait for the write before them and will share the next. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #handle = new StoreHandle();

  constructor(objects: Objects, names: ObjectNames, journal: Journal, records: LogRecords, limits: Limits) {
    this.#objects = objects;
    this.#names = names;
    this.#journal = journal;
    this.#records = records;
    this.#limits = limits;
  }

  async fence(session: string, epoch: number): ReturnType<SessionStore["fence"]> {
    this.#handle.check(session);
    const judged = await this.#inTurn(session, () => this.#journal.fence(session, epoch));
    return judged.outcome === "stale" ? judged : { outcome: "fenced" };
  }

  async putBase(session: string, base: BaseWrite): ReturnType<SessionStore["putBase"]> {
    this.#handle.check(session);
    const { maxSnapshotBytes: maxBytes, storePartBytes: pieceBytes } = this.#limits;
    const key = this.#journal.baseKey(session, base);
    const sealed = sealBase(session, base, { crc32, maxBytes, pieceBytes });
    const first = (await sealed.next()).value ?? new Uint8Array(0);
    const early = await this.#journal.overtaken(session, base.epoch);
    if (early !== null) return early;
    if (first.length < pieceBytes) await this.#handle.track(this.#objects.put(key, first));
    else {
      const stale = await this.#handle.track(this.#putParts(session, base.epoch, key, startingWith(first, sealed)));
      if (stale !== null) return stale;
    }
    this.#handle.checkOpen();
    const judged = await this.#inTurn(session, () => this.#journal.commitBase(session, base, key));
    return judged.outcome === "stale" ? judged : { outcome: "stored" };
  }

  /** It is long since the first look; so there is another one before the parts become an object. */
  async #putParts(session: string, epoch: number, key: string, parts: AsyncIterable<Uint8Array>): Promise<StaleWrite | null> {
    let stale: StaleWrite | null = null;
    try {
      await this.#objects.putParts(key, parts, async () => {
        stale = await this.#journal.overtaken(session, epoch);
        if (stale !== null) throw new UploadStale();
      });
    } catch (error) {
      if (!(error instanceof UploadStale)) throw error;
    }
    return stale;
  }

  async append(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]> {
    this.#handle.checkOpen();
    return Promise.all(entries.map((entry) => this.#appendOne(entry)));
  }

  #appendOne(entry: LogEntry): Promise<AppendOutcome> {
    const bytes = this.#records.prepare(entry);
    if (!(bytes instanceof Uint8Array)) return Promise.resolve(bytes);
    const { session, record } = entry;
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(session);
      const one: Waiting = { record, bytes, resolve };
      if (waiting !== undefined) waiting.push(one);
      else {
        this.#waiting.set(session, [one]);
        this.#inTurn(session, () => this.#appendWaiting(session)).catch(() => undefined);
      }
    });
  }

  /** Everything that waits now shares writes, one for each epoch. */
  async #appendWaiting(session: string): Promise<void> {
    const waiting = this.#waiting.get(session) ?? [];
    this.#waiting.delete(session);
    for (let at = 0; at < waiting.length; ) {
      const epoch = waiting[at]?.record.epoch;
      let end = at;
      while (end < waiting.length && waiting[end]?.record.epoch === epoch) end++;
      const group = waiting.slice(at, end);
      at = end;
      try {
        const outcomes = await this.#journal.append(session, group);
        for (const [i, { resolve }] of group.entries()) resolve(outcomes[i] ?? appendFailed(undefined));
      } catch (error) {
        for (const { resolve } of group) resolve(appendFailed(error));
      }
    }
  }

  async read(session: string): Promise<StoredReplica | null> {
    this.#handle.check(session);
    return this.#handle.track(
      whileBasesGo(async () => {
        const { head, bases, records } = await this.#journal.contents(session);
        const candidates = bases.map(({ key, ...at }) => ({ at, load: () => this.#load(session, key) }));
        return proveReplica({ session, head, bases: candidates, records }, crc32);
      }),
    );
  }

  async #load(session: string, key: string): Promise<StoredBase | null> {
    const object = await this.#objects.get(key);
    if (object !== null) return openBase(session, object.body, crc32);
    const { bases } = await this.#journal.contents(session);
    if (!bases.some((base) => base.key === key)) throw new BaseGone();
    return null;
  }

  async list({ prefix, after, limit }: ListQuery): Promise<SessionPage> {
    this.#handle.checkOpen();
    const most = Math.min(limit, this.#limits.maxStoreListEntries);
    const segments = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
    if (segments === "") return this.#page("", after, most);
    // The session of just this name comes alone, on the first page.
    if (after === undefined) {
      const { keys } = await this.#objects.list(`${this.#names.sessions(segments)}/`);
      if (keys.length > 0) return { sessions: [segments], next: segments };
    }
    return this.#page(`${segments}/`, after === segments ? undefined : after, most);
  }

  /** Some servers give all folders at once, in no order and without a token; so order and bound are kept here. */
  async #page(start: string, after: string | undefined, limit: number): Promise<SessionPage> {
    const startAfter = after === undefined ? undefined : this.#names.endOf(after);
    const query = { folders: true, limit, ...(startAfter === undefined ? {} : { startAfter }) };
    const { folders, next } = await this.#objects.list(this.#names.sessions(start), query);
    const sorted = folders.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const sessions = sorted.slice(0, limit).map((folder) => this.#names.sessionOf(folder));
    return { sessions, next: next !== null || folders.length > limit ? (sessions.at(-1) ?? null) : null };
  }

  async remove(session: string, epoch: number): ReturnType<SessionStore["remove"]> {
    this.#handle.check(session);
    const judged = await this.#inTurn(session, () => this.#journal.remove(session, epoch));
    return judged.outcome === "stale" ? judged : { outcome: "removed" };
  }

  async forget(session: string): ReturnType<SessionStore["forget"]> {
    this.#handle.check(session);
    const { outcome } = await this.#inTurn(session, () => this.#journal.forget(session));
    return { outcome };
  }

  /** A base counts as good only if it leads to the newest position, too: one that a stale writer left behind does not. */
  async prune(session: string, keepBases: number): Promise<PruneReport> {
    this.#handle.check(session);
    return this.#inTurn(session, () =>
      whileBasesGo(async () => {
        const contents = await this.#journal.contents(session);
        const candidates = contents.bases.map(({ key, ...at }) => ({ at, load: () => this.#load(session, key) }));
        const replica = candidates.length === 0 ? null : await proveOrNull({ session, ...contents, bases: candidates });
        let damagedBases = 0;
        const plan = await planPrune(contents.bases, keepBases, async ({ key }) => {
          const base = await this.#load(session, key);
          if (base === null) damagedBases++;
          if (base === null || replica === null) return false;
          return comparePositions(followLog(base, contents.records, crc32).end, replica.end) === 0;
        });
        const removedRecords = await this.#journal.removeParts(session, {
          bases: plan.remove,
          records: (at) => isBefore(at, plan.logFrom),
        });
        return { keptBases: plan.keep.length, removedBases: plan.remove.length, removedRecords, damagedBases };
      }),
    );
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Runs what writes a session after what writes it already. */
  #inTurn<T>(session: string, write: () => Promise<T>): Promise<T> {
    const before = this.#lanes.get(session) ?? Promise.resolve();
    const mine = this.#handle.track(before.then(write, write));
    this.#lanes.set(session, mine);
    const done = (): void => {
      if (this.#lanes.get(session) === mine) this.#lanes.delete(session);
    };
    mine.then(done, done);
    return mine;
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

async function whileBasesGo<T>(read: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof BaseGone)) throw error;
      if (i === READS) throw new SojournError("E_STORE_UNAVAILABLE", "the session's snapshots changed faster than they were read");
    }
  }
}

/** Null when nothing is good. */
async function proveOrNull(parts: Parameters<typeof proveReplica>[0]): Promise<StoredReplica | null> {
  try {
    return await proveReplica(parts, crc32);
  } catch (error) {
    if (error instanceof SojournError && error.code === "E_STORE_DAMAGED") return null;
    throw error;
  }
}
