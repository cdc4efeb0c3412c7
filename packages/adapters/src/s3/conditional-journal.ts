import {
  type AppendOutcome,
  type BaseHead,
  type DamagedRecord,
  type Judged,
  judgeBase,
  judgeFence,
  judgeRecord,
  judgeRemove,
  type LogRecord,
  type LogRecords,
  newerOf,
  type Position,
  SojournError,
  type StaleWrite,
} from "@sojourn/core";
import { frameRecords, recordsOf, splitFrames } from "./framing.js";
import { decodeHeadObject, encodeHeadObject, type HeadObject, NO_HEAD_OBJECT } from "./head-object.js";
import type { Contents, Encoded, Journal, Removal } from "./journal.js";
import { Latest } from "./latest.js";
import { baseName, fenceName, logName, nonce, placeOf } from "./names.js";
import type { Objects } from "./objects.js";
import type { SessionFolders } from "./session-folders.js";

const HEAD = "head";
/** With more bytes of records than this in the head object they move to an object of their own. */
const MAX_HEAD_RECORD_BYTES = 262_144;
/** Others may come first so often. */
const TRIES = 50;
/** After so many times who fences makes its wish known. */
const PATIENCE = 2;
const PUTS_BETWEEN_LOOKS = 8;
/** An object may go between the head and the read; then everything is read again, so often. */
const READS = 5;

/** A head object as it was read. */
interface Seen {
  readonly object: HeadObject;
  /** Null: there is none. */
  readonly etag: string | null;
  /** Puts of this handle since it last looked for others that want to fence. */
  readonly puts: number;
}

/**
 * Fencing by conditional puts: everything that counts is named by one head object per session, which is only replaced as the version that
 * was read (`If-Match`, `If-None-Match`). An append is one such put, with the records inside.
 */
export class ConditionalJournal implements Journal {
  readonly #objects: Objects;
  readonly #folders: SessionFolders;
  readonly #records: LogRecords;
  /** Heads that this handle wrote or read last. */
  readonly #seen: Latest<Seen>;

  constructor(objects: Objects, folders: SessionFolders, records: LogRecords, maxSeen: number) {
    this.#objects = objects;
    this.#folders = folders;
    this.#records = records;
    this.#seen = new Latest(maxSeen);
  }

  async fence(session: string, epoch: number): Promise<Judged<StaleWrite>> {
    const wish = this.#folders.of(session) + fenceName(epoch, false);
    let wished = false;
    const judged = await this.#update(
      session,
      (object) => {
        const verdict = judgeFence(object.head, epoch);
        return { next: verdict.outcome === "accepted" ? { ...object, head: verdict.head } : null, result: verdict };
      },
      async () => {
        if (!wished) await this.#objects.put(wish, new Uint8Array(0));
        wished = true;
      },
    );
    if (wished) await this.#objects.delete(wish);
    return judged;
  }

  /** A writer without a pause would always be faster than who reads first; so it looks now and then for a newer epoch's wish to fence. */
  async #wished(session: string, epoch: number): Promise<StaleWrite | null> {
    const seen = this.#seen.get(session);
    if (seen === undefined || seen.puts < PUTS_BETWEEN_LOOKS) return null;
    this.#seen.set(session, { ...seen, puts: 0 });
    return this.#folders.overtaken(session, epoch);
  }

  async overtaken(session: string, epoch: number): Promise<StaleWrite | null> {
    const { object } = await this.#look(session, true);
    return object.head.fence > epoch ? { outcome: "stale", epoch: object.head.fence } : null;
  }

  baseKey(session: string, base: BaseHead): string {
    return this.#folders.of(session) + baseName(base);
  }

  async commitBase(session: string, base: BaseHead, key: string): Promise<Judged<StaleWrite>> {
    const folder = this.#folders.of(session);
    const name = key.slice(folder.length);
    let replaced: string[] = [];
    const judged = await this.#update(session, (object) => {
      const verdict = judgeBase(object.head, base);
      replaced = object.bases.filter((other) => isAt(other, base) && other !== name);
      const bases = [...object.bases.filter((other) => !replaced.includes(other)), name];
      return { next: verdict.outcome === "accepted" ? { ...object, head: verdict.head, bases } : null, result: verdict };
    });
    await this.#objects.deleteAll(judged.outcome === "stale" ? [key] : replaced.map((other) => folder + other));
    return judged;
  }

  async append(session: string, encoded: readonly Encoded[]): Promise<readonly AppendOutcome[]> {
    await this.#makeRoom(session);
    const stale = await this.#wished(session, encoded[0]?.record.epoch ?? 0);
    if (stale !== null) return encoded.map(() => stale);
    return this.#update(session, (object) => {
      let { head } = object;
      const records = [...object.records];
      const outcomes: AppendOutcome[] = encoded.map(({ record, bytes }) => {
        const judged = judgeRecord(head, record);
        if (judged.outcome === "stale" || judged.outcome === "gap") return judged;
        if (judged.outcome === "accepted") {
          head = judged.head;
          records.push(bytes);
        }
        return { outcome: "appended" };
      });
      return { next: records.length > object.records.length ? { ...object, head, records } : null, result: outcomes };
    });
  }

  /** Moves the records of a head object that has grown to an object of their own. */
  async #makeRoom(session: string): Promise<void> {
    const { object } = await this.#look(session);
    if (object.records.reduce((total, { length }) => total + length, 0) <= MAX_HEAD_RECORD_BYTES) return;
    const lastBytes = object.records.at(-1);
    const last = lastBytes === undefined ? null : this.#records.decode(session, lastBytes);
    if (last === null) return;
    const name = logName(last, object.records.length);
    const key = this.#folders.of(session) + name;
    await this.#objects.put(key, frameRecords(object.records));
    const moved = await this.#update(session, (now) => {
      const same = now.nonce === object.nonce;
      return { next: same ? { ...now, segments: [...now.segments, name], records: [] } : null, result: same };
    });
    if (!moved) await this.#objects.delete(key);
  }

  async remove(session: string, epoch: number): Promise<Judged<StaleWrite>> {
    let dropped: readonly string[] = [];
    const judged = await this.#update(session, (object) => {
      const verdict = judgeRemove(object.head, epoch);
      dropped = [...object.bases, ...object.segments];
      return { next: verdict.outcome === "accepted" ? { ...NO_HEAD_OBJECT, head: verdict.head } : null, result: verdict };
    });
    if (judged.outcome === "accepted") await this.#folders.drop(session, dropped);
    return judged;
  }

  async forget(session: string): Promise<{ readonly outcome: "forgotten" | "kept" }> {
    const { object } = await this.#look(session, true);
    if (object.head.base !== null || object.head.log !== null) return { outcome: "kept" };
    this.#seen.forget(session);
    const folder = this.#folders.of(session);
    // The head goes last: while it is there the session is on the list.
    const keys = await this.#objects.listAll(folder);
    await this.#objects.deleteAll(keys.filter((key) => key !== folder + HEAD));
    await this.#objects.delete(folder + HEAD);
    return { outcome: "forgotten" };
  }

  async contents(session: string): Promise<Contents> {
    const folder = this.#folders.of(session);
    for (let i = 1; ; i++) {
      const { object } = await this.#look(session, true);
      const segments = await Promise.all(object.segments.map((name) => this.#objects.get(folder + name)));
      if (segments.includes(null) && i < READS) continue;
      const records: (LogRecord | DamagedRecord)[] = segments.flatMap((segment, at) => {
        const end = placeOf(object.segments[at] ?? "");
        return segment === null ? [{ damaged: end }] : recordsOf(session, splitFrames(segment.body), this.#records, end);
      });
      records.push(...recordsOf(session, object.records, this.#records, object.head.log));
      const bases = object.bases.flatMap((name) => {
        const at = placeOf(name);
        return at === null ? [] : [{ epoch: at.epoch, version: at.version, key: folder + name }];
      });
      return { head: object.head, bases, records };
    }
  }

  async removeParts(session: string, removal: Removal): Promise<number> {
    const folder = this.#folders.of(session);
    const gone = new Set(removal.bases.map(({ key }) => key.slice(folder.length)));
    let dropped: readonly string[] = [];
    const count = await this.#update(session, (object) => {
      const goes = (name: string): boolean => {
        const at = placeOf(name);
        return at !== null && removal.records(at);
      };
      const segments = object.segments.filter((name) => !goes(name));
      const records = object.records.filter((bytes) => {
        const record = this.#records.decode(session, bytes);
        return record === null || !removal.records(record);
      });
      dropped = [...object.bases.filter((name) => gone.has(name)), ...object.segments.filter(goes)];
      const inSegments = object.segments.filter(goes).reduce((total, name) => total + (placeOf(name)?.records ?? 0), 0);
      const result = inSegments + object.records.length - records.length;
      const bases = object.bases.filter((name) => !gone.has(name));
      return { next: dropped.length + result > 0 ? { ...object, bases, segments, records } : null, result };
    });
    await this.#folders.drop(session, dropped);
    return count;
  }

  /** Replaces the head object by what `change` makes of it, or does nothing when that is null. A refusal is judged on a fresh look. */
  async #update<T>(
    session: string,
    change: (object: HeadObject) => { readonly next: HeadObject | null; readonly result: T },
    onOvertaken: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const key = this.#folders.of(session) + HEAD;
    let fresh = this.#seen.get(session) === undefined;
    for (let i = 0; i < TRIES; i++) {
      const { object, etag } = await this.#look(session);
      const { next, result } = change(object);
      if (next === null) {
        if (fresh) return result;
        this.#seen.forget(session);
        fresh = true;
        continue;
      }
      const written = { ...next, nonce: nonce() };
      const tag = await this.#put(session, key, written, etag);
      if (tag !== null) return result;
      const now = await this.#look(session, true);
      // The client tries again by itself: the second try may have met the first.
      if (now.object.nonce === written.nonce) return result;
      fresh = true;
      if (i >= PATIENCE) await onOvertaken();
    }
    throw new SojournError("E_STORE_UNAVAILABLE", `others changed "${session}" ${TRIES} times meanwhile`, { session });
  }

  async #put(session: string, key: string, object: HeadObject, etag: string | null): Promise<string | null> {
    try {
      const tag = await this.#objects.put(key, encodeHeadObject(session, object), etag === null ? { ifNoneMatch: "*" } : { ifMatch: etag });
      if (tag !== null) this.#seen.set(session, { object, etag: tag, puts: (this.#seen.get(session)?.puts ?? 0) + 1 });
      return tag;
    } catch (error) {
      this.#seen.forget(session);
      throw error;
    }
  }

  async #look(session: string, fresh = false): Promise<Seen> {
    const known = fresh ? undefined : this.#seen.get(session);
    if (known !== undefined) return known;
    const fetched = await this.#objects.get(this.#folders.of(session) + HEAD);
    if (fetched === null) return { object: NO_HEAD_OBJECT, etag: null, puts: 0 };
    const object = decodeHeadObject(session, fetched.body);
    const seen = { object: object ?? (await this.#rebuilt(session)), etag: fetched.etag, puts: 0 };
    this.#seen.set(session, seen);
    return seen;
  }

  /** A damaged head object is made up from the names of the others; the records inside it, and fences without data, are lost. */
  async #rebuilt(session: string): Promise<HeadObject> {
    const { bases, log, newestBase, newestLog } = await this.#folders.find(session);
    const head = { fence: newerOf(newestBase, newestLog)?.epoch ?? 0, base: newestBase, log: newestLog };
    return { head, nonce: "", bases: bases.map(({ name }) => name), segments: log.map(({ name }) => name), records: [] };
  }
}

function isAt(name: string, { epoch, version }: Position): boolean {
  const at = placeOf(name);
  return at?.epoch === epoch && at.version === version;
}
