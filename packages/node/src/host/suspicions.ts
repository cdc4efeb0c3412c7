import type { Clock, Limits, NodeRef, PeerHealth, Scheduled, Suspicion } from "@sojourn/core";

/** What suspecting needs from its node. */
export interface SuspicionPorts {
  readonly clock: Clock;
  readonly limits: Limits;
  /** The other nodes whose leases have not ended. */
  others(): Iterable<NodeRef>;
  /** Who is told that a node is suspected, again and again as long as it is. */
  slots(): Iterable<{ onSuspected(ref: NodeRef): void }>;
}

/** Whoever is cut off itself notices it of one node after another: this part of `suspectAfterMs` is left for it. */
const GRACE = 1 / 3;

/**
 * Which other nodes are to be taken for lost before their leases have ended. A node whose host says that its process is gone is
 * suspected at once; one that is only silent as long as at least half of the others answer that are not gone, for otherwise it is rather
 * this node that is cut off. A supervisor's word counts like the host's, for as long as silence would have had to last.
 */
export class Suspicions {
  readonly #ports: SuspicionPorts;
  readonly #silentSinceMs = new Map<NodeRef, number>();
  readonly #gone = new Set<NodeRef>();
  readonly #accused = new Map<NodeRef, number>();
  /** Suspected at the last look, so that each suspicion counts once. */
  #known = new Set<NodeRef>();
  #again: Scheduled | null = null;
  #count = 0;
  #stopped = false;

  constructor(ports: SuspicionPorts) {
    this.#ports = ports;
  }

  /** How often another node came under suspicion. */
  get count(): number {
    return this.#count;
  }

  of(ref: NodeRef): Suspicion {
    const { clock, limits } = this.#ports;
    const now = clock.now();
    if (this.#gone.has(ref) || (this.#accused.get(ref) ?? now) > now) return "gone";
    const since = this.#silentSinceMs.get(ref);
    return since !== undefined && now - since >= limits.suspectAfterMs * GRACE && this.#mayJudge() ? "silent" : "none";
  }

  /** What the transport says. */
  note(ref: NodeRef, health: PeerHealth): void {
    if (health === "answering") {
      this.#gone.delete(ref);
      this.#silentSinceMs.delete(ref);
    } else if (health === "gone") {
      this.#gone.add(ref);
    } else if (!this.#silentSinceMs.has(ref)) {
      this.#silentSinceMs.set(ref, this.#ports.clock.now());
    }
    this.#look();
  }

  /** Somebody who can know says that the node is down. */
  accuse(ref: NodeRef): void {
    const { clock, limits } = this.#ports;
    this.#accused.set(ref, clock.now() + limits.suspectAfterMs);
    this.#look();
  }

  /** Its lease has ended: more than suspected. */
  forget(ref: NodeRef): void {
    this.#gone.delete(ref);
    this.#silentSinceMs.delete(ref);
    this.#accused.delete(ref);
    this.#known.delete(ref);
  }

  stop(): void {
    this.#stopped = true;
    this.#again?.cancel();
  }

  #mayJudge(): boolean {
    let others = 0;
    let answering = 0;
    for (const ref of this.#ports.others()) {
      if (this.#gone.has(ref)) continue;
      others++;
      if (!this.#silentSinceMs.has(ref)) answering++;
    }
    return answering * 2 >= others;
  }

  /** What one node's health is may decide whether others are suspected. */
  #look(): void {
    if (this.#stopped) return;
    const now = new Set<NodeRef>();
    const doubted = new Set([...this.#gone, ...this.#silentSinceMs.keys(), ...this.#accused.keys()]);
    for (const ref of doubted) {
      if (this.of(ref) !== "none") now.add(ref);
      else this.#accused.delete(ref);
    }
    for (const ref of now) if (!this.#known.has(ref)) this.#count++;
    this.#known = now;
    this.#again?.cancel();
    const { clock, limits } = this.#ports;
    this.#again = doubted.size === 0 ? null : clock.schedule(limits.suspectAfterMs * GRACE, () => this.#look());
    for (const ref of now) {
      for (const slot of [...this.#ports.slots()]) if (!this.#stopped) slot.onSuspected(ref);
    }
  }
}
