import {
  type Clock,
  type Directory,
  incarnationOf,
  type Limits,
  type NodeEntry,
  type NodeInfo,
  type NodeRef,
  nodeIdOf,
} from "@sojourn/core";
import type { Lease, LeaseEvents, LeaseRenewal } from "../lease/lease.js";

/** What membership tells the node. Of its own lease: `lapsed`, `resumed` and `failed`. */
export interface MembershipEvents extends Omit<LeaseEvents, "ended"> {
  /** The lease of this ref has ended, told once. */
  ended(ref: NodeRef): void;
  /** This node's own lease has ended: its life is over. */
  lost(): void;
}

/** The part of the control channel that membership drives. */
export interface PeerBook {
  reach(peer: NodeRef, address: string): void;
  forget(peer: NodeRef): void;
}

/**
 * This node's lease, and what is known of the others. The lease is measured on the monotonic clock from the moment a successful
 * renewal was *sent* [10], so that a slow answer, a paused process or a late timer can only make it end earlier here than there.
 * Run out here it has not ended there yet: only the directory's word ends it, and a renewal that succeeds proves that it never did.
 */
export class Membership {
  readonly #directory: Directory;
  readonly #renewal: LeaseRenewal;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #peers: PeerBook;
  readonly #events: MembershipEvents;
  /** The newest incarnation that is known of each node id: what is kept does not grow with restarts. */
  readonly #latest = new Map<string, NodeEntry>();
  #self: NodeRef = "";
  #info: NodeInfo;
  #lease: Lease | null = null;
  #unwatch: (() => void) | null = null;
  #over = false;

  constructor(
    directory: Directory,
    renewal: LeaseRenewal,
    clock: Clock,
    limits: Limits,
    info: NodeInfo,
    peers: PeerBook,
    events: MembershipEvents,
  ) {
    this.#directory = directory;
    this.#renewal = renewal;
    this.#clock = clock;
    this.#limits = limits;
    this.#info = info;
    this.#peers = peers;
    this.#events = events;
  }

  /** This node in its present life; "" before it has joined. */
  get self(): NodeRef {
    return this.#self;
  }
  get info(): NodeInfo {
    return this.#info;
  }

  /**
   * Takes a lease and begins to watch the others.
   * @throws SojournError of the directory, `E_LEASE_RENEWAL`
   */
  async join(): Promise<NodeRef> {
    await this.#renewal.open();
    const sentAtMs = this.#clock.now();
    this.#self = await this.#directory.register(this.#info, this.#limits.leaseTtlMs);
    const { lapsed, resumed, failed } = this.#events;
    this.#lease = this.#renewal.begin(this.#self, sentAtMs, { lapsed, resumed, failed, ended: () => this.#lose() });
    this.#unwatch = this.#directory.watchNodes((entry) => this.#onEntry(entry));
    return this.#self;
  }

  /** Whether this node may act now. */
  leaseValid(): boolean {
    return this.#lease?.valid() ?? false;
  }

  /** A newer incarnation of the same id means that older ones have ended. */
  isEnded(ref: NodeRef): boolean {
    const latest = this.#latest.get(nodeIdOf(ref));
    if (latest === undefined) return false;
    return latest.ref === ref ? latest.ended : incarnationOf(ref) < incarnationOf(latest.ref);
  }

  /** What is known of a node in exactly this life, if that is its newest. */
  entryOf(ref: NodeRef): NodeEntry | undefined {
    const latest = this.#latest.get(nodeIdOf(ref));
    return latest?.ref === ref ? latest : undefined;
  }

  /** The living incarnation of a node id. */
  find(id: string): NodeEntry | null {
    const latest = this.#latest.get(id);
    return latest === undefined || latest.ended ? null : latest;
  }

  /** All living nodes. */
  live(): NodeEntry[] {
    return [...this.#latest.values()].filter((entry) => !entry.ended);
  }

  /** Living nodes other than this one. */
  others(): NodeEntry[] {
    return this.live().filter((entry) => entry.ref !== this.#self);
  }

  async publish(info: NodeInfo): Promise<void> {
    this.#info = info;
    await this.#directory.update(this.#self, info);
  }

  /** Leaves on purpose: the lease ends now. */
  async resign(): Promise<void> {
    this.stop();
    await this.#directory.resign(this.#self);
  }

  stop(): void {
    this.#over = true;
    this.#lease?.stop();
    this.#unwatch?.();
  }

  #lose(): void {
    if (this.#over) return;
    this.stop();
    this.#events.lost();
  }

  #onEntry(entry: NodeEntry): void {
    if (this.#over) return;
    const { ref, info } = entry;
    const known = this.#latest.get(info.id);
    // What comes late of an earlier life, or of one that has ended, says nothing new.
    if (known !== undefined && (known.ref === ref ? known.ended : incarnationOf(ref) < incarnationOf(known.ref))) return;
    this.#latest.set(info.id, entry);
    const before = known !== undefined && known.ref !== ref && !known.ended ? known.ref : null;
    if (before === this.#self || (ref === this.#self && entry.ended)) this.#lose();
    if (ref === this.#self || this.#over) return;
    if (before !== null) this.#end(before);
    if (entry.ended) this.#end(ref);
    else this.#peers.reach(ref, info.controlEndpoint);
  }

  #end(ref: NodeRef): void {
    this.#peers.forget(ref);
    this.#events.ended(ref);
  }
}
