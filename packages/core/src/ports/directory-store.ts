import type { NodeRef, SessionKey } from "../names.js";
import type { NodeInfo, SessionRecord } from "./directory.js";

/** What the directory keeps of a node id: its latest incarnation, with the length of its lease. */
export interface NodeLease {
  readonly ref: NodeRef;
  readonly info: NodeInfo;
  readonly ttlMs: number;
  readonly ended: boolean;
}

/** One change of the directory. Each replaces what was kept under the same session key, or under the same node id. */
export type DirectoryChange =
  | { readonly type: "record"; readonly key: SessionKey; readonly record: SessionRecord; readonly previous: SessionRecord | null }
  | { readonly type: "node"; readonly lease: NodeLease };

/** Everything a directory keeps. */
export interface DirectoryContents {
  readonly records: Iterable<readonly [SessionKey, SessionRecord]>;
  readonly nodes: Iterable<NodeLease>;
}

/**
 * Where the embedded directory keeps its contents. One process uses it at a time. Contract:
 * - `append` resolves when all of its changes are durable. After a crash what is there is a beginning of all changes that were
 *   ever appended, in their order: at least what was resolved, and never a later one without an earlier one.
 * - A rejected append may or may not be there after the next `load`. The user appends nothing more and opens again.
 * - `load` gives exactly what was appended, or rejects: damage is never passed over.
 */
export interface DirectoryStore {
  /** @throws SojournError `E_DISK` when it cannot be read or is damaged */
  load(): Promise<DirectoryContents>;
  /** Called again only after the call before it is settled. @throws SojournError `E_DISK` */
  append(changes: readonly DirectoryChange[]): Promise<void>;
  close(): Promise<void>;
}
