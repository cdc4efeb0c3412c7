import { type Clock, type Directory, type Limits, type NodeEntry, type NodeInfo, type NodeRef, nodeIdOf } from "@sojourn/core";
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
  readonly #entries = new Map<NodeRef, NodeEntry>();
  readonly #ended = new Set<NodeRef>();
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
  get entries(): ReadonlyMap<NodeRef, NodeEntry> {
    return this.#entries;
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

  isEnded(ref: NodeRef): boolean {
    return this.#ended.has(ref);
  }

  /** The living incarnation of a node id. */
  find(id: string): NodeEntry | null {
    for (const entry of this.#entries.values()) if (!entry.ended && entry.info.id === id) return entry;
    return null;
  }

  /** Living nodes other than this one. */
  others(): NodeEntry[] {
    return [...this.#entries.values()].filter((entry) => !entry.ended && entry.ref !== this.#self);
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
    const known = this.#entries.get(entry.ref);
    if (known?.ended === true) return;
    this.#entries.set(entry.ref, entry);
    if (entry.ref === this.#self) {
      if (entry.ended) this.#lose();
      return;
    }
    if (entry.ended) this.#end(entry.ref);
    else if (!this.#ended.has(entry.ref)) this.#peers.reach(entry.ref, entry.info.controlEndpoint);
    // A newer incarnation of the same id means that older ones have ended.
    for (const other of this.#entries.values()) {
      if (other.ref !== entry.ref && nodeIdOf(other.ref) === entry.info.id && !other.ended && older(other.ref, entry.ref)) {
        this.#entries.set(other.ref, { ...other, ended: true });
        this.#end(other.ref);
      }
    }
  }

  #end(ref: NodeRef): void {
    if (this.#ended.has(ref)) return;
    this.#ended.add(ref);
    this.#peers.forget(ref);
    this.#events.ended(ref);
  }
}

function older(a: NodeRef, b: NodeRef): boolean {
  return Number(a.slice(a.lastIndexOf("#") + 1)) < Number(b.slice(b.lastIndexOf("#") + 1));
}
