import type { SojournError } from "../errors/sojourn-error.js";
import type { NodeRef, SessionKey } from "../names.js";
import type { Strategy } from "../strategy/strategy.js";

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
  /** Which replicas the session has; it goes with the session from owner to owner. */
  readonly strategy: Strategy;
  /** True while the session store is in-sync: it holds everything that was released. To this flag the rules of in-sync members apply. */
  readonly stored: boolean;
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

/** The part of a directory that keeps a lease alive. */
export interface Renewals {
  renew(ref: NodeRef): Promise<"renewed" | "ended">;
  close(): Promise<void>;
}

/**
 * How another thread opens a connection of its own to the same directory, only to renew: a module that exports `open: OpenRenewals`, and
 * what `open` is called with, which must survive a structured clone.
 */
export interface RenewalSource {
  /** URL of the module. */
  readonly module: string;
  readonly options: unknown;
}

/**
 * What the module of a RenewalSource exports as `open`. A lost connection must be tried again several times within `ttlMs`: a directory
 * that comes back waits for no longer than that. `onProblem` takes what more attempts do not mend.
 */
export type OpenRenewals<Options> = (options: Options, ttlMs: number, onProblem: (error: SojournError) => void) => Renewals;

/**
 * The one authority on who owns what. Contract (any engine that keeps it may stand behind this port):
 * - `read`, `compareAndSet` and `listRecords` are linearizable per record; an applied write is durable before it is answered,
 *   and nothing that is not durable is ever shown: not by a read, a conflict, a list or a watch.
 * - A revision is used once. Two racing writers that expect the same revision: exactly one is applied.
 * - A request that was not answered rejects with `E_DIRECTORY_UNKNOWN_OUTCOME`: it may have been carried out, or be carried
 *   out later while its expected revision still stands. `E_DIRECTORY_UNAVAILABLE` means certainly not carried out. Any other
 *   code is an answer: the request was refused and nothing was changed.
 * - A lease that ended is never renewed; the same node id comes back with a greater incarnation. Whoever sees a greater
 *   incarnation knows that every smaller one has ended.
 * - The lease of a ref cannot end at the directory earlier than `ttlMs` after the *sending* of its last successful renewal,
 *   save by `resign` and by a newer incarnation of its node. It may end later (a directory that stood still puts every end off).
 * - A directory that restarts without its lease table waits one full longest lease before it ends any lease.
 * - Watches are at least once, never go back in revision per record, may skip revisions, and after an interruption repeat
 *   the present state of everything that concerns the watcher, with what ceased to concern it meanwhile.
 * - Answers and events come later, never inside the call that asks for them. What is handed over is not shared: neither side
 *   sees the other change it.
 * - Guards, which the embedded directory has and an engine may lack: a write whose writer holds no live lease is refused
 *   (`E_LEASE_ENDED`), as is one that takes the epoch back or revives an ended session without a greater epoch
 *   (`E_EPOCH_STALE`, at the expected revision only; at another one it is a conflict). `E_LEASE_ENDED` always speaks of the
 *   writer: other names in a draft may belong to ended nodes.
 */
export interface Directory {
  /** How a thread of its own can renew this node's lease; null or absent when that is not possible. */
  readonly renewals?: RenewalSource | null;
  /**
   * Joins with a new incarnation and a lease of `ttlMs`. An older incarnation of the same id is ended first: no two processes
   * may use one id. An unknown outcome may leave an incarnation behind that nobody is; the next `register` ends it.
   * @throws SojournError `E_CONFIG_INVALID`
   */
  register(info: NodeInfo, ttlMs: number): Promise<NodeRef>;
  renew(ref: NodeRef): Promise<"renewed" | "ended">;
  /** Changes what is published about a live node (e.g. `cordoned`). @throws SojournError `E_LEASE_ENDED`, `E_CONFIG_INVALID` */
  update(ref: NodeRef, info: NodeInfo): Promise<void>;
  /** Ends the lease of a node that stops on purpose; one that has ended already stays as it is. */
  resign(ref: NodeRef): Promise<void>;
  read(key: SessionKey): Promise<SessionRecord | null>;
  /**
   * Writes the record if its revision is still the expected one; 0 means: there is no record yet.
   * @throws SojournError `E_SESSION_KEY_INVALID`, `E_LEASE_ENDED`, `E_EPOCH_STALE`, `E_FRAME_TOO_LARGE`
   */
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome>;
  /** Every record whose present version names `ref` as owner, in-sync or heir. */
  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>>;
  /** Tells every change of a record that names `ref` in its version before or after the change. Returns the way to stop. */
  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void;
  /**
   * Tells every node that is or becomes known, and every change of it, ended ones once. Returns the way to stop. An earlier
   * incarnation that some record still names is among the known; its info may be its successor's.
   */
  watchNodes(listener: (entry: NodeEntry) => void): () => void;
  /** Gives up what is not answered, stops the watches, and refuses further calls with `E_DIRECTORY_UNAVAILABLE`. */
  close(): Promise<void>;
}
