import {
  type Clock,
  type Directory,
  type Limits,
  type NodeEntry,
  type NodeInfo,
  type NodeRef,
  nodeIdOf,
  type Scheduled,
} from "@sojourn/core";

/** What membership tells the node. */
export interface MembershipEvents {
  /** The lease of this ref has ended, told once. */
  ended(ref: NodeRef): void;
  /** This node's own lease has ended or could not be renewed in time: it must stop acting at once. */
  lost(): void;
}

/** The part of the control channel that membership drives. */
export interface PeerBook {
  reach(peer: NodeRef, address: string): void;
  forget(peer: NodeRef): void;
}

/** A node stops acting this share of its lease before the directory can end it; covers clocks that run apart by up to 5 %. */
const SAFE_SHARE = 0.9;
const RENEWALS_PER_LEASE = 4;

/**
 * This node's lease, and what is known of the others. The lease is measured on the monotonic clock from the moment a successful
 * renewal was *sent* [10], so that a slow answer, a paused process or a late timer can only make it end earlier here than there.
 */
export class Membership {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #peers: PeerBook;
  readonly #events: MembershipEvents;
  readonly #entries = new Map<NodeRef, NodeEntry>();
  readonly #ended = new Set<NodeRef>();
  #self: NodeRef = "";
  #info: NodeInfo;
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #renewal: Scheduled | null = null;
  #deadline: Scheduled | null = null;
  #unwatch: (() => void) | null = null;
  #over = false;

  constructor(directory: Directory, clock: Clock, limits: Limits, info: NodeInfo, peers: PeerBook, events: MembershipEvents) {
    this.#directory = directory;
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
   * @throws SojournError of the directory
   */
  async join(): Promise<NodeRef> {
    const sentAtMs = this.#clock.now();
    this.#self = await this.#directory.register(this.#info, this.#limits.leaseTtlMs);
    this.#extend(sentAtMs);
    this.#unwatch = this.#directory.watchNodes((entry) => this.#onEntry(entry));
    this.#scheduleRenewal();
    return this.#self;
  }

  /** Whether this node may act now. */
  leaseValid(): boolean {
    return !this.#over && this.#clock.now() < this.#validUntilMs;
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
    this.#renewal?.cancel();
    this.#deadline?.cancel();
    this.#unwatch?.();
  }

  #extend(sentAtMs: number): void {
    this.#validUntilMs = sentAtMs + this.#limits.leaseTtlMs * SAFE_SHARE;
    this.#deadline?.cancel();
    this.#deadline = this.#clock.schedule(Math.max(0, this.#validUntilMs - this.#clock.now()), () => {
      if (!this.leaseValid()) this.#lose();
    });
  }

  #scheduleRenewal(): void {
    this.#renewal = this.#clock.schedule(this.#limits.leaseTtlMs / RENEWALS_PER_LEASE, () => {
      this.#renew();
      if (!this.#over) this.#scheduleRenewal();
    });
  }

  #renew(): void {
    const sentAtMs = this.#clock.now();
    this.#directory.renew(this.#self).then(
      (outcome) => {
        if (this.#over) return;
        // A lease that was already over here stays over: roles may have been dropped because of it.
        if (outcome === "ended" || !this.leaseValid()) this.#lose();
        else if (sentAtMs + this.#limits.leaseTtlMs * SAFE_SHARE > this.#validUntilMs) this.#extend(sentAtMs);
      },
      () => undefined, // asked again at the next interval; the deadline decides
    );
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
