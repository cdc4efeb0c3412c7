import type { NodeRef, SessionKey } from "../names.js";

/** What the directory knows of one session. */
export interface SessionRecord {
  /** Counts the changes of this record, from 1. Compare-and-set names the revision it expects, that is, the whole record. */
  readonly revision: number;
  /** Fencing token of ownership. */
  readonly epoch: number;
  readonly owner: NodeRef;
  readonly inSync: readonly NodeRef[];
  readonly heir: NodeRef | null;
  /** True once the session has ended; the record stays as a tombstone so that nothing older brings it back. */
  readonly ended: boolean;
  /** Names the request that wrote this revision (`node#incarnation/counter`), so that a writer recognises its own write. */
  readonly writer: string;
}

/** A record to be written; the directory gives it its revision. */
export type RecordDraft = Omit<SessionRecord, "revision">;

/** `applied`: it is durable. `conflict`: it was not carried out and never will be; `current` is what stands instead. */
export type CasOutcome =
  | { readonly outcome: "applied"; readonly revision: number }
  | { readonly outcome: "conflict"; readonly current: SessionRecord | null };

/** Where a node is, for choosing near ones. */
export interface Place {
  readonly region?: string;
  readonly zone?: string;
  readonly lat?: number;
  readonly lon?: number;
}

/** What a node says of itself when it joins. All plain data. */
export interface NodeInfo {
  readonly id: string;
  readonly place: Place;
  /** `ws://…` or `wss://…` for clients. */
  readonly clientEndpoint: string;
  /** `host:port` of the control channel. */
  readonly controlEndpoint: string;
  /** Kinds of session it can run, with the version of each definition. */
  readonly kinds: Readonly<Record<string, number>>;
  /** True while it takes no new sessions. */
  readonly cordoned: boolean;
}

/** A node as the directory sees it. `ended` is a fact about this incarnation and never turns back. */
export interface NodeEntry {
  readonly ref: NodeRef;
  readonly info: NodeInfo;
  readonly ended: boolean;
}

/**
 * The one authority on who owns what. Contract (any engine that keeps it may stand behind this port):
 * - `read`, `compareAndSet` and `listRecords` are linearizable per record; an applied write is durable before it is answered.
 * - A revision is used once. Two racing writers that expect the same revision: exactly one is applied.
 * - A request that was not answered rejects with `E_DIRECTORY_UNKNOWN_OUTCOME`: it may have been carried out, or be carried
 *   out later while its expected revision still stands. `E_DIRECTORY_UNAVAILABLE` means certainly not carried out.
 * - A lease that ended is never renewed; the same node id comes back with a greater incarnation.
 * - The lease of a ref cannot end at the directory earlier than `ttlMs` after the *sending* of its last successful renewal.
 * - A directory that restarts without its lease table waits one full longest lease before it ends any lease.
 * - Watches are at least once, never go back in revision per record, may skip revisions, and after an interruption repeat
 *   the present state of everything that concerns the watcher.
 */
export interface Directory {
  /** Joins with a new incarnation and a lease of `ttlMs`. An older incarnation of the same id is ended first. */
  register(info: NodeInfo, ttlMs: number): Promise<NodeRef>;
  renew(ref: NodeRef): Promise<"renewed" | "ended">;
  /** Changes what is published about a live node (e.g. `cordoned`). */
  update(ref: NodeRef, info: NodeInfo): Promise<void>;
  /** Ends the lease of a node that stops on purpose. */
  resign(ref: NodeRef): Promise<void>;
  read(key: SessionKey): Promise<SessionRecord | null>;
  /** `expectedRevision` 0 means: there is no record yet. */
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome>;
  /** Every record whose present version names `ref` as owner, in-sync or heir. */
  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>>;
  /** Tells every change of a record that names `ref` in its version before or after the change. Returns the way to stop. */
  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void;
  /** Tells every node that is or becomes known, and every change of it, ended ones once. Returns the way to stop. */
  watchNodes(listener: (entry: NodeEntry) => void): () => void;
  close(): Promise<void>;
}
