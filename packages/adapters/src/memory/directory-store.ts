import {
  type DirectoryChange,
  type DirectoryContents,
  type DirectoryStore,
  type NodeLease,
  nodeIdOf,
  type SessionRecord,
} from "@sojourn/core";

/** Keeps the directory's contents in this process. The same object can be loaded again, as after a restart. */
export function createMemoryDirectoryStore(): DirectoryStore {
  const records = new Map<string, SessionRecord>();
  const nodes = new Map<string, NodeLease>();
  return {
    async load(): Promise<DirectoryContents> {
      return { records: [...records], nodes: [...nodes.values()] };
    },
    async append(changes: readonly DirectoryChange[]): Promise<void> {
      for (const change of changes) {
        if (change.type === "record") records.set(change.key, change.record);
        else nodes.set(nodeIdOf(change.lease.ref), change.lease);
      }
    },
    async close(): Promise<void> {},
  };
}
