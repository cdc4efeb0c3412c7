import type { SojournError } from "../errors/sojourn-error.js";
import type { SessionKey } from "../names.js";

/** A point in a session's history. `(epoch, version)` orders everything; `hash` is the chain of CRCs over all deltas up to there. */
export interface Position {
  readonly epoch: number;
  readonly version: number;
  readonly hash: number;
}

/** What is known of a base snapshot besides its bytes. */
export interface BaseHead extends Position {
  /** Version of the session's definition that wrote the state. */
  readonly stateVersion: number;
}

/** A base snapshot on its way into a store. */
export interface BaseWrite extends BaseHead {
  /** The encoded session in pieces of any size; asked for one after the other, so that a large one needs little memory. */
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** The structure table that the bytes rely on, or null; asked once, after the last chunk. */
  table(): Uint8Array | null;
}

/** A base snapshot as a store gives it back: checked against its checksum. */
export interface StoredBase extends BaseHead {
  readonly table: Uint8Array | null;
  /** Not to be changed: it may be the store's own. */
  readonly bytes: Uint8Array;
}

/** A group of consecutive deltas of one session. `version - fromVersion` deltas lead from `fromHash` to `hash`. */
export interface LogRecord extends Position {
  readonly fromVersion: number;
  readonly fromHash: number;
  readonly deltas: readonly Uint8Array[];
  /** Tables of structures that the deltas rely on and an earlier part may not have brought, or null. */
  readonly table: Uint8Array | null;
}

/** One session's part of a group append. */
export interface LogEntry {
  readonly session: SessionKey;
  readonly record: LogRecord;
}

/** The write belongs to an epoch that is over; `epoch` is the newest that the store has seen of the session. */
export interface StaleWrite {
  readonly outcome: "stale";
  readonly epoch: number;
}

/** What became of one entry of a group append. */
export type AppendOutcome =
  /** Durable now, or before already. */
  | { readonly outcome: "appended" }
  | StaleWrite
  /** It does not extend what the store has. Send the deltas from `end` on, or a base when they are gone or `end` is null. */
  | { readonly outcome: "gap"; readonly end: Position | null }
  /** Whether it is there is unknown, unless the code is `E_STORE_FULL` or `E_STORE_TOO_LARGE`: then it is not. It may be sent again. */
  | { readonly outcome: "failed"; readonly error: SojournError };

/** What of a session could not be read. */
export interface StoreDamage {
  /** Bases newer than the one that was taken, which are damaged or gone. */
  readonly damagedBases: number;
  /** Records after the base that are damaged, or that nothing leads to any more. */
  readonly cutRecords: number;
  /** The newest position of which the store has any trace. */
  readonly newest: Position;
  /** Turns between what could be read and `newest`; at least so many, when the epochs differ. */
  readonly lostTurns: number;
}

/** The newest state of a session that a store can prove. */
export interface StoredReplica {
  readonly base: StoredBase;
  /** Extends the base without a gap. */
  readonly log: readonly LogRecord[];
  /** Where the log ends. */
  readonly end: Position;
  /** The newest epoch that the store has seen of the session. */
  readonly fence: number;
  /** Null when everything that was ever acknowledged is here. */
  readonly damage: StoreDamage | null;
}

/** A page of a list. */
export interface SessionPage {
  readonly sessions: readonly SessionKey[];
  /** Where the next page starts, for `after`; null when this one is the last. */
  readonly next: string | null;
}

/** What to list. */
export interface ListQuery {
  /** Whole path segments: `room` means `room/…`, `room/a` means `room/a` and `room/a/…` but not `room/ab`. Empty: everything. */
  readonly prefix: string;
  /** `next` of the page before. */
  readonly after?: string;
  /** Most sessions of one page. */
  readonly limit: number;
}

/** What a prune kept and removed. */
export interface PruneReport {
  readonly keptBases: number;
  readonly removedBases: number;
  /** A store that keeps several in one object may keep some longer. */
  readonly removedRecords: number;
  /** Bases found damaged; they stay while they are newer than the oldest that is kept. */
  readonly damagedBases: number;
}

/**
 * Keeps durable replicas: of each session some base snapshots and a log of the deltas after them. Several handles, in several
 * processes, may use the same store at the same time. Contract:
 * - **Durable**: what was answered with "stored" or "appended" is there after a crash of everybody (as far as the store's own
 *   documentation says); what was not answered may or may not be there, whole, and may be sent again.
 * - **Fenced**: per session the store keeps the newest epoch that it has seen, in a write or a `fence`. A write of an older epoch
 *   changes nothing and is answered with `stale`. When `fence(s, e)` has resolved, whatever an older epoch had acknowledged is
 *   seen by every later `read`, and nothing of an older epoch is acknowledged any more. Each epoch has one writer.
 * - **Ordered** by `(epoch, version)`, never by a clock. A record is taken only if it extends the log or the newest base, to the hash.
 * - **Whole**: every base and record carries a checksum over its bytes, its position and its session, verified before it is given
 *   out. A base becomes visible with its last byte; one that was broken off leaves what was there.
 * - A session's data is nobody else's: keys that are prefixes of each other do not touch.
 *
 * Operations reject with `E_STORE_UNAVAILABLE` (cannot be reached, or closed), `E_STORE_FULL` (no room; nothing was written, and
 * it goes on when there is room), `E_STORE_TOO_LARGE` (past `maxSnapshotBytes` or `maxStoreRecordBytes`; nothing was written), and
 * `E_SESSION_KEY_INVALID`.
 */
export interface SessionStore {
  /** Refuses writes of older epochs from now on; the same epoch again changes nothing. Fence before you read [9]. */
  fence(session: SessionKey, epoch: number): Promise<{ readonly outcome: "fenced" } | StaleWrite>;

  /**
   * Keeps a base snapshot. One of the same position replaces the other. Bases older than the newest are kept too, as something to
   * fall back to. Rejects with whatever the chunks throw, and then nothing has changed.
   */
  putBase(session: SessionKey, base: BaseWrite): Promise<{ readonly outcome: "stored" } | StaleWrite>;

  /**
   * Appends records of one or many sessions, each on its own: the outcomes stand in the order of the entries. Several of one session
   * are taken in their order, and so are calls that are made before earlier ones have resolved. Resolves when all that it took is durable; appends that come while others are under way share one
   * write. The bytes must not change until then.
   */
  append(entries: readonly LogEntry[]): Promise<readonly AppendOutcome[]>;

  /**
   * The newest state that can be proven: the newest good base with its log, cut at the last good record. Null when the store has no
   * base of the session: it never had, or the session was removed.
   * @throws SojournError `E_STORE_DAMAGED` when there are bases but none can be read
   */
  read(session: SessionKey): Promise<StoredReplica | null>;

  /**
   * Sessions of which the store keeps anything, be it the fence of a removed one, each once. The order is the store's own. One
   * that comes or goes meanwhile may be missing.
   */
  list(query: ListQuery): Promise<SessionPage>;

  /** Removes bases and log. Only a greater epoch writes the session again; so the fence stays, until `forget`. */
  remove(session: SessionKey, epoch: number): Promise<{ readonly outcome: "removed" } | StaleWrite>;

  /** Drops the fence of a removed session. Only when no writer of the session can be alive any more. */
  forget(session: SessionKey): Promise<{ readonly outcome: "forgotten" } | { readonly outcome: "kept" }>;

  /**
   * Removes bases older than the newest `keepBases` good ones, and the log before the oldest that is left. Each base that counts is
   * read and checked first, so the last good one never goes.
   */
  prune(session: SessionKey, keepBases: number): Promise<PruneReport>;

  /** Waits for what is under way. Afterwards everything rejects. */
  close(): Promise<void>;
}
