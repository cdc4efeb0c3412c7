import { SojournError } from "../errors/sojourn-error.js";
import { incarnationOf, isNodeId, type NodeRef, nodeIdOf, nodeRef } from "../names.js";
import type { NodeInfo } from "../ports/directory.js";
import type { NodeLease } from "../ports/directory-store.js";

/**
 * Who holds a lease, and until when. Pure: the time is given to every call, in monotonic milliseconds.
 *
 * A lease ends by `expire`, `resign` or by a newer incarnation of its node, and by nothing else: as long as none of these
 * has happened it can be renewed, however late. Once ended it stays so. Incarnations of one id only go up.
 */
export class NodeLeases {
  /** The latest incarnation of each id, ended or not; it carries the counter, so it is never dropped. */
  readonly #latest = new Map<string, NodeLease>();
  /** When each live lease ends unless it is renewed. */
  readonly #expiry = new Map<NodeRef, number>();

  /**
   * Takes over what was kept. Nobody knows how long the directory was away or what was renewed last, so no lease ends
   * before one full longest lease has passed.
   */
  constructor(kept: Iterable<NodeLease>, nowMs: number) {
    let longestMs = 0;
    for (const lease of kept) {
      this.#latest.set(nodeIdOf(lease.ref), lease);
      if (!lease.ended) longestMs = Math.max(longestMs, lease.ttlMs);
    }
    for (const lease of this.#latest.values()) {
      if (!lease.ended) this.#expiry.set(lease.ref, nowMs + longestMs);
    }
  }

  isLive(ref: NodeRef): boolean {
    return this.#expiry.has(ref);
  }

  /** What is kept of the id inside `ref`: perhaps another incarnation. */
  latestOf(ref: NodeRef): NodeLease | undefined {
    return this.#latest.get(nodeIdOf(ref));
  }

  all(): Iterable<NodeLease> {
    return this.#latest.values();
  }

  /**
   * Joins. The older incarnation, when it still lives, is ended and stands first in the answer; the new lease stands last.
   * @throws SojournError `E_CONFIG_INVALID`
   */
  register(info: NodeInfo, ttlMs: number, nowMs: number): readonly NodeLease[] {
    if (!isNodeId(info.id)) throw new SojournError("E_CONFIG_INVALID", `"${info.id.slice(0, 80)}" is not a usable node id`);
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) {
      throw new SojournError("E_CONFIG_INVALID", `a lease must last a whole number of milliseconds, got ${ttlMs}`, { ttlMs });
    }
    const before = this.#latest.get(info.id);
    const changed: NodeLease[] = [];
    if (before !== undefined && !before.ended) changed.push(this.#end(before));
    const ref = nodeRef(info.id, before === undefined ? 1 : incarnationOf(before.ref) + 1);
    const lease = freezeLease({ ref, info, ttlMs, ended: false });
    this.#latest.set(info.id, lease);
    this.#expiry.set(ref, nowMs + ttlMs);
    changed.push(lease);
    return changed;
  }

  renew(ref: NodeRef, nowMs: number): "renewed" | "ended" {
    const expiry = this.#expiry.get(ref);
    const lease = this.latestOf(ref);
    if (expiry === undefined || lease === undefined) return "ended";
    // After a restart or a stall the end may lie further away than one ttl from now; renewing never brings it nearer.
    this.#expiry.set(ref, Math.max(expiry, nowMs + lease.ttlMs));
    return "renewed";
  }

  /** @throws SojournError `E_LEASE_ENDED`, `E_CONFIG_INVALID` when `info` is of another node */
  update(ref: NodeRef, info: NodeInfo): NodeLease {
    const lease = this.latestOf(ref);
    if (lease === undefined || !this.isLive(ref)) throw new SojournError("E_LEASE_ENDED", undefined, { ref });
    if (info.id !== nodeIdOf(ref)) throw new SojournError("E_CONFIG_INVALID", `${ref} cannot publish as ${info.id}`, { ref });
    const changed = freezeLease({ ...lease, info });
    this.#latest.set(info.id, changed);
    return changed;
  }

  /** Ends the lease now; undefined when it is not live. */
  resign(ref: NodeRef): NodeLease | undefined {
    const lease = this.latestOf(ref);
    return lease === undefined || !this.isLive(ref) ? undefined : this.#end(lease);
  }

  /** Ends every lease whose time has come. */
  expire(nowMs: number): readonly NodeLease[] {
    const ended: NodeLease[] = [];
    for (const [ref, expiry] of this.#expiry) {
      const lease = expiry <= nowMs ? this.latestOf(ref) : undefined;
      if (lease !== undefined) ended.push(this.#end(lease));
    }
    return ended;
  }

  /** Puts every end off. For when the directory itself stood still and could not hear renewals. */
  postpone(byMs: number): void {
    for (const [ref, expiry] of this.#expiry) this.#expiry.set(ref, expiry + byMs);
  }

  /** When the next lease ends unless it is renewed; undefined when none is live. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const expiry of this.#expiry.values()) if (next === undefined || expiry < next) next = expiry;
    return next;
  }

  #end(lease: NodeLease): NodeLease {
    const ended: NodeLease = Object.freeze({ ...lease, ended: true });
    this.#latest.set(nodeIdOf(lease.ref), ended);
    this.#expiry.delete(lease.ref);
    return ended;
  }
}

/** A copy that shares nothing with the caller's objects: in one process many nodes hold the same lease. */
function freezeLease(lease: NodeLease): NodeLease {
  const { id, place, clientEndpoint, controlEndpoint, kinds, cordoned } = lease.info;
  const info: NodeInfo = Object.freeze({
    id,
    place: Object.freeze({ ...place }),
    clientEndpoint,
    controlEndpoint,
    kinds: Object.freeze({ ...kinds }),
    cordoned,
  });
  return Object.freeze({ ref: lease.ref, info, ttlMs: lease.ttlMs, ended: lease.ended });
}
