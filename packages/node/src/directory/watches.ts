import {
  type DirectoryRequest,
  incarnationOf,
  type NodeEntry,
  type NodeRef,
  nodeIdOf,
  type SessionKey,
  type SessionRecord,
} from "@sojourn/core";

/** A watch of the client. It outlives connections: after each new one it asks again and makes up for what was missed. */
export interface Watch {
  /** The frame that opens it on a connection. */
  request(id: number): DirectoryRequest;
  onRecord(key: SessionKey, record: SessionRecord): void;
  onNode(entry: NodeEntry): void;
  /** The server has told everything that stood when the watch was opened on this connection. */
  onReplayed(): void;
}

/** Tells the records that name one ref. */
export class RecordWatch implements Watch {
  readonly #ref: NodeRef;
  readonly #listener: (key: SessionKey, record: SessionRecord) => void;
  readonly #read: (key: SessionKey) => void;
  /** The latest told revision of each record whose told version names the ref. */
  readonly #naming = new Map<SessionKey, number>();
  /** What named the ref before the interruption and was not replayed yet. */
  #missing = new Set<SessionKey>();

  /** @param read asks for a record that may have ceased to name the ref; its answer comes back through `onRecord` */
  constructor(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void, read: (key: SessionKey) => void) {
    this.#ref = ref;
    this.#listener = listener;
    this.#read = read;
  }

  request(id: number): DirectoryRequest {
    this.#missing = new Set(this.#naming.keys());
    return { t: "watchRecords", id, ref: this.#ref };
  }

  onRecord(key: SessionKey, record: SessionRecord): void {
    this.#missing.delete(key);
    if (record.revision < (this.#naming.get(key) ?? 0)) return;
    const names = record.owner === this.#ref || record.heir === this.#ref || record.inSync.includes(this.#ref);
    if (names) this.#naming.set(key, record.revision);
    else this.#naming.delete(key);
    this.#listener(key, record);
  }

  onNode(): void {}

  onReplayed(): void {
    for (const key of this.#missing) this.#read(key);
    this.#missing.clear();
  }
}

/** Tells the nodes. Ended ones are told once, also those whose end fell into an interruption. */
export class NodeWatch implements Watch {
  readonly #listener: (entry: NodeEntry) => void;
  readonly #latest = new Map<string, NodeEntry>();
  readonly #ended = new Set<NodeRef>();

  constructor(listener: (entry: NodeEntry) => void) {
    this.#listener = listener;
  }

  request(id: number): DirectoryRequest {
    return { t: "watchNodes", id };
  }

  onRecord(): void {}

  onNode(entry: NodeEntry): void {
    const id = nodeIdOf(entry.ref);
    const latest = this.#latest.get(id);
    if (latest !== undefined && incarnationOf(latest.ref) < incarnationOf(entry.ref)) this.#tell({ ...latest, ended: true });
    if (latest === undefined || incarnationOf(latest.ref) <= incarnationOf(entry.ref)) this.#latest.set(id, entry);
    this.#tell(entry);
  }

  onReplayed(): void {}

  #tell(entry: NodeEntry): void {
    if (this.#ended.has(entry.ref)) return;
    if (entry.ended) this.#ended.add(entry.ref);
    this.#listener(entry);
  }
}
