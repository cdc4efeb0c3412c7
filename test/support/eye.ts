import type { Directory, NodeEntry, NodeRef, SessionKey, SessionRecord } from "@sojourn/core";
import { openDirectory } from "./open-directory.js";

/** Looks into a cluster's directory from outside, and waits for facts there instead of for time. */
export class Eye {
  readonly directory: Directory;

  constructor(endpoint: string) {
    this.directory = openDirectory(endpoint);
  }

  /** The living node of this id. */
  node(id: string): Promise<NodeEntry> {
    return new Promise((resolve) => {
      const stop = this.directory.watchNodes((entry) => {
        if (entry.info.id !== id || entry.ended) return;
        queueMicrotask(() => stop());
        resolve(entry);
      });
    });
  }

  /** The record of a session that names `ref`, once it is as wanted. */
  record(ref: NodeRef, session: SessionKey, wanted: (record: SessionRecord) => boolean): Promise<SessionRecord> {
    return new Promise((resolve) => {
      const stop = this.directory.watchRecords(ref, (key, record) => {
        if (key !== session || !wanted(record)) return;
        queueMicrotask(() => stop());
        resolve(record);
      });
    });
  }

  close(): Promise<void> {
    return this.directory.close();
  }
}
