import { crc32 } from "node:zlib";
import type { BaseWrite, LogRecord, Position, SessionStore, StoredReplica } from "@sojourn/core";

/** A made-up session's turns: positions with true hashes, and what a store is given of them. */
export class History {
  epoch: number;
  version: number;
  hash: number;
  /** Goes into every delta, so that two branches differ. */
  readonly branch: string;

  constructor(start: Position = { epoch: 1, version: 0, hash: 0 }, branch = "") {
    this.epoch = start.epoch;
    this.version = start.version;
    this.hash = start.hash;
    this.branch = branch;
  }

  get at(): Position {
    return { epoch: this.epoch, version: this.version, hash: this.hash };
  }

  /** Another history that goes on from here. */
  fork(epoch: number, branch = this.branch): History {
    return new History({ ...this.at, epoch }, branch);
  }

  /** Makes turns; the record of them. */
  turns(count = 1, bytesEach = 0): LogRecord {
    const fromVersion = this.version;
    const fromHash = this.hash;
    const deltas: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      this.version++;
      const delta = bytesOf(`delta ${this.version} ${this.branch}`.padEnd(bytesEach, "."));
      this.hash = crc32(delta, this.hash);
      deltas.push(delta);
    }
    const table = fromVersion % 3 === 0 ? bytesOf(`table ${fromVersion}`) : null;
    return { epoch: this.epoch, fromVersion, fromHash, version: this.version, hash: this.hash, deltas, table };
  }

  /** The base of where it is now. */
  base(bytes: Uint8Array = bytesOf(`state ${this.version} ${this.branch}`)): BaseWrite {
    const table = this.version % 2 === 0 ? bytesOf(`structures ${this.version}`) : null;
    return { ...this.at, stateVersion: 3, chunks: [bytes], table: () => table };
  }
}

/** UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

/** A base from the store with where it stands: what tests compare. */
export interface Shown {
  readonly at: string;
  readonly state: string;
  readonly table: string | null;
  readonly stateVersion: number;
  readonly log: readonly string[];
  readonly end: string;
  readonly fence: number;
}

/** Makes replicas of different stores comparable. */
export function show(replica: StoredReplica | null): Shown | null {
  if (replica === null) return null;
  const { base, log, end, fence } = replica;
  const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString("latin1"));
  return {
    at: showPosition(base),
    state: text(base.bytes) ?? "",
    table: text(base.table),
    stateVersion: base.stateVersion,
    log: log.flatMap((r) => [
      ...(r.table === null ? [] : [`${text(r.table)}`]),
      ...r.deltas.map((delta, i) => `${r.epoch}/${r.fromVersion + i + 1} ${text(delta)}`),
    ]),
    end: showPosition(end),
    fence,
  };
}

function showPosition({ epoch, version, hash }: Position): string {
  return `${epoch}/${version}#${hash.toString(16)}`;
}

/** What a restoring node does: fence, then read. */
export async function takeOver(store: SessionStore, session: string, epoch: number): Promise<StoredReplica | null> {
  const { outcome } = await store.fence(session, epoch);
  if (outcome !== "fenced") throw new Error(`fencing at ${epoch} is ${outcome}`);
  return store.read(session);
}

/** A promise and what resolves it: a barrier. */
export function barrier(): { readonly reached: Promise<void>; readonly reach: () => void } {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return { reached, reach };
}
