import { SojournError } from "../errors/sojourn-error.js";
import { incarnationOf, type NodeRef, type SessionKey } from "../names.js";
import type { CasOutcome, NodeEntry, NodeInfo, RecordDraft, SessionRecord } from "../ports/directory.js";
import type { DirectoryChange, DirectoryContents, NodeLease } from "../ports/directory-store.js";
import { NodeLeases } from "./node-leases.js";
import { SessionRecords } from "./session-records.js";

/** What an operation answers, and what it changed, in order. */
export interface Applied<T> {
  readonly result: T;
  readonly changes: readonly DirectoryChange[];
}

const NO_CHANGES: readonly DirectoryChange[] = [];

/**
 * The embedded directory as a state machine: no clock, no disk, no socket. Every operation is carried out at once and says
 * what it changed; whoever drives it makes the changes durable before anything that shows them leaves.
 *
 * A write is fenced: its `writer` must hold a live lease. A node whose lease ended may have been succeeded already, so
 * nothing it still had under way can land (PROTOCOL.md, rules 9 and 10). The other names in a draft are not checked: a
 * role held by an ended node is something the protocol has to deal with at any time.
 */
export class DirectoryState {
  readonly #leases: NodeLeases;
  readonly #records: SessionRecords;

  constructor(kept: DirectoryContents, nowMs: number) {
    this.#leases = new NodeLeases(kept.nodes, nowMs);
    this.#records = new SessionRecords(kept.records);
  }

  /** @throws SojournError `E_CONFIG_INVALID` */
  register(info: NodeInfo, ttlMs: number, nowMs: number): Applied<NodeRef> {
    const changed = this.#leases.register(info, ttlMs, nowMs);
    return { result: (changed.at(-1) as NodeLease).ref, changes: changed.map(leaseChange) };
  }

  renew(ref: NodeRef, nowMs: number): "renewed" | "ended" {
    return this.#leases.renew(ref, nowMs);
  }

  /** @throws SojournError `E_LEASE_ENDED`, `E_CONFIG_INVALID` */
  update(ref: NodeRef, info: NodeInfo): Applied<null> {
    return { result: null, changes: [leaseChange(this.#leases.update(ref, info))] };
  }

  resign(ref: NodeRef): Applied<null> {
    const ended = this.#leases.resign(ref);
    return { result: null, changes: ended === undefined ? NO_CHANGES : [leaseChange(ended)] };
  }

  /** Ends the leases whose time has come. */
  expire(nowMs: number): readonly DirectoryChange[] {
    return this.#leases.expire(nowMs).map(leaseChange);
  }

  /** Puts the end of every lease off. */
  postponeExpiry(byMs: number): void {
    this.#leases.postpone(byMs);
  }

  nextExpiry(): number | undefined {
    return this.#leases.nextExpiry();
  }

  read(key: SessionKey): SessionRecord | null {
    return this.#records.get(key);
  }

  /** @throws SojournError `E_LEASE_ENDED`, `E_SESSION_KEY_INVALID`, `E_EPOCH_STALE`; nothing was changed then */
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Applied<CasOutcome> {
    if (!this.#leases.isLive(writerRef(draft.writer))) {
      throw new SojournError("E_LEASE_ENDED", `the writer ${draft.writer} holds no live lease`, { writer: draft.writer });
    }
    const write = this.#records.compareAndSet(key, expectedRevision, draft);
    if (write.outcome === "conflict") return { result: write, changes: NO_CHANGES };
    const { record, previous } = write;
    return { result: { outcome: "applied", revision: record.revision }, changes: [{ type: "record", key, record, previous }] };
  }

  /** Every record whose present version names `ref`. */
  listRecords(ref: NodeRef): Map<SessionKey, SessionRecord> {
    const found = new Map<SessionKey, SessionRecord>();
    for (const key of this.#records.keysNaming(ref)) {
      const record = this.#records.get(key);
      if (record !== null) found.set(key, record);
    }
    return found;
  }

  /** Every node id's latest incarnation, and each earlier one that a record still names (with its successor's info). */
  listNodes(): readonly NodeEntry[] {
    const entries: NodeEntry[] = [];
    for (const ref of this.#records.namedRefs()) {
      const latest = this.#leases.latestOf(ref);
      if (latest !== undefined && incarnationOf(ref) < incarnationOf(latest.ref)) entries.push({ ref, info: latest.info, ended: true });
    }
    for (const lease of this.#leases.all()) entries.push(entryOf(lease));
    return entries;
  }
}

/** What is published of a lease. */
export function entryOf(lease: NodeLease): NodeEntry {
  return { ref: lease.ref, info: lease.info, ended: lease.ended };
}

function leaseChange(lease: NodeLease): DirectoryChange {
  return { type: "node", lease };
}

/** The ref inside a writer's name, `node#incarnation/counter`. */
function writerRef(writer: string): NodeRef {
  const at = writer.lastIndexOf("/");
  return at < 0 ? writer : writer.slice(0, at);
}
