import type { NodeRef, SessionKey, Slot } from "@sojourn/core";
import type { NodeRuntime } from "@sojourn/node";
import type { SimCluster, SimNode } from "../sim-cluster.js";
import type { SessionModel } from "./session-model.js";

type Host = NonNullable<NodeRuntime["host"]>;

/** What was last seen of one session's copy in one life of a node. */
interface Seen {
  fence: number;
  version: number;
  /** The fence when the version was last seen to rise. */
  versionFence: number;
  /** Owner: what it had released. */
  released: number;
  releasedEpoch: number;
  /** The epoch for which the node knows that it is heir and neither owns nor declines; null when there is none. */
  heirEpoch: number | null;
  /** For how long that has been so, and when it was last seen. */
  heirForMs: number;
  heirSeenMs: number;
}

/** A heir may be so late with its duty: its timer runs on a clock of its own, and it may be slow. */
const HEIR_SLACK_MS = 3_000;
/** Of the time between two looks at a heir no more counts: its process may have been paused. */
const HEIR_STEP_MS = 200;

/**
 * The checks of PROTOCOL.md that are made after every step: I1, I2 and I3, that the in-sync are waited for, that nobody acts past its lease, and that
 * a heir takes the session or declines [7, I5].
 */
export class Invariants {
  readonly #cluster: SimCluster;
  readonly #models: ReadonlyMap<SessionKey, SessionModel>;
  readonly #problem: (text: string) => void;
  readonly #seen = new WeakMap<Host, Map<SessionKey, Seen>>();
  readonly #nodes: SimNode[] = [];
  readonly #ended = new Set<NodeRef>();
  #step = 0;

  constructor(cluster: SimCluster, models: ReadonlyMap<SessionKey, SessionModel>, problem: (text: string) => void) {
    this.#cluster = cluster;
    this.#models = models;
    this.#problem = problem;
  }

  /** A node was started: it is looked at from now on, instead of its earlier life. */
  watch(node: SimNode): void {
    const at = this.#nodes.findIndex((other) => other.id === node.id);
    if (at >= 0) this.#nodes[at] = node;
    else this.#nodes.push(node);
  }

  check(): void {
    this.#step++;
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes[i] as SimNode;
      const host = node.runtime?.host;
      if (host === undefined || host === null || host.slots.size === 0) continue;
      let seen = this.#seen.get(host);
      if (seen === undefined) {
        seen = new Map();
        this.#seen.set(host, seen);
      }
      for (const slot of host.slots.values()) this.#checkSlot(node, host, slot, seen);
    }
  }

  #checkSlot({ clock }: SimNode, host: Host, slot: Slot, all: Map<SessionKey, Seen>): void {
    const { key, fence, role } = slot;
    const model = this.#models.get(key);
    if (model === undefined) return;
    let seen = all.get(key);
    if (seen === undefined) {
      seen = { fence, version: 0, versionFence: fence, released: 0, releasedEpoch: 0, heirEpoch: null, heirForMs: 0, heirSeenMs: 0 };
      all.set(key, seen);
    }
    if (fence < seen.fence) this.#problem(`I3: the epoch of ${key} at ${host.self} went back from ${seen.fence} to ${fence}`);
    const version = role.cell?.version ?? 0;
    if (version !== seen.version) {
      if (version > seen.version) seen.versionFence = fence;
      else if (role.cell === null || version === 0) seen.versionFence = fence;
      else if (fence <= seen.versionFence)
        this.#problem(`I3: the version of ${key} at ${host.self} went back from ${seen.version} to ${version} in epoch ${fence}`);
      seen.version = version;
    }
    seen.fence = fence;
    if (!clock.paused) this.#checkHeir(host, slot, seen);
    if (role.kind !== "owner" || !host.leaseValid()) return;
    // A machine that was suspended cannot know that its lease has ended.
    if (this.#ended.has(host.self) && !clock.hasSlept) this.#problem(`rule 10: ${host.self} acts although its lease has ended`);
    this.#checkOwner(host.self, slot, model, seen);
  }

  /** [7] Who knows from the record that it is heir has begun to decline by the deadline, unless the GRANT came. */
  #checkHeir({ self, clock, limits }: Host, { key, role, cas }: Slot, seen: Seen): void {
    const { record } = cas;
    if (record === null || record.heir !== self || record.ended || role.kind !== "standby" || cas.pending) {
      seen.heirEpoch = null;
      return;
    }
    const now = clock.now();
    if (seen.heirEpoch === record.epoch) {
      seen.heirForMs += Math.min(HEIR_STEP_MS, now - seen.heirSeenMs);
      if (seen.heirForMs > limits.heirDeadlineMs + HEIR_SLACK_MS)
        this.#problem(
          `I5: ${self} has known for ${limits.heirDeadlineMs + HEIR_SLACK_MS} ms that it is heir of ${key} in epoch ${record.epoch}, and does not decline`,
        );
    } else {
      seen.heirEpoch = record.epoch;
      seen.heirForMs = 0;
    }
    seen.heirSeenMs = now;
  }

  #checkOwner(self: NodeRef, slot: Slot, model: SessionModel, seen: Seen): void {
    const { owner } = slot;
    if (owner === null) return;
    if (model.step !== this.#step) {
      model.step = this.#step;
      model.acting = 0;
    }
    // One that has ended runs nothing any more; it only waits to hear that its record says so.
    if (!owner.cell.ended) model.acting++;
    if (model.acting > 1 && !model.suspicion) this.#problem(`I1: ${slot.key} is acted on by ${this.#actors(slot.key).join(" and ")}`);
    const { released, version, epoch, recorded } = owner;
    const actor = model.owners.get(epoch);
    if (actor === undefined) model.owners.set(epoch, self);
    else if (actor !== self) this.#problem(`I1: ${slot.key} is acted on by ${self} in epoch ${epoch}, which was ${actor}'s`);
    const { releases } = model;
    if (owner.cell.ended) releases.ending(epoch, version);
    if (recorded && epoch >= releases.epoch && version < releases.version)
      this.#problem(
        `I2: ${self} owns ${slot.key} at version ${version} in epoch ${epoch}, but ${releases.version} was released in epoch ${releases.epoch}`,
      );
    this.#checkWaitedFor(self, slot.key, owner);
    if (released === seen.released && epoch === seen.releasedEpoch) return;
    seen.released = released;
    seen.releasedEpoch = epoch;
    const shown = releases.version;
    const hashAt = (at: number) => (at === version ? owner.hash : (owner.log.since(at)?.hash ?? null));
    switch (releases.release({ epoch, version: released, hashAt })) {
      case "fine":
        return;
      case "ofLostLife":
        // A machine that was suspended does not know that it was replaced, nor that with all who had taken over the session was lost
        // (docs/leases.md): it says the last of a life that binds nobody any more.
        if (this.#hasSlept(self)) return;
        this.#problem(`I2: ${self} releases version ${released} of a life of ${slot.key} in epoch ${epoch} that was lost`);
        return;
      case "late":
        this.#problem(
          `I2: ${self} releases version ${released} of ${slot.key} in epoch ${epoch} although epoch ${releases.epoch} has released`,
        );
        return;
      case "otherTurn":
        this.#problem(`I2: ${self} releases another version ${released} of ${slot.key} in epoch ${epoch} than was released`);
        return;
      case "continuesOther":
        this.#problem(`I2: ${self} continues ${slot.key} from another version ${shown} than was released`);
    }
  }

  /** [2, 3] Who may take over must have what was released: the recorded in-sync are always among those who are waited for. */
  #checkWaitedFor(self: NodeRef, key: SessionKey, owner: NonNullable<Slot["owner"]>): void {
    const record = this.#cluster.directory.records.get(key);
    if (record === undefined || record.owner !== self || record.epoch !== owner.epoch) return;
    if (record.stored && owner.store.bound === null && !record.ended)
      this.#problem(`rule 3: the store is in-sync with ${key}, but its owner ${self} does not wait for it`);
    if (record.stored && owner.released > this.#cluster.store.newest(key) && !record.ended)
      this.#problem(`rule 2: the store is in-sync with ${key} and lacks turn ${owner.released}, which ${self} has released`);
    for (const ref of record.inSync) {
      if (this.#ended.has(ref)) continue; // it takes nothing over any more
      if (owner.feeds.get(ref)?.waited !== true)
        this.#problem(`rule 3: ${ref} is in-sync with ${key}, but its owner ${self} does not wait for it`);
    }
  }

  #hasSlept(ref: NodeRef): boolean {
    return this.#nodes.some(({ runtime, clock }) => runtime?.host?.self === ref && clock.hasSlept);
  }

  #actors(key: SessionKey): NodeRef[] {
    return this.#cluster.actingOwners(key);
  }

  /** The directory has ended a lease: its holder must have stopped before [rule 10]. */
  leaseEnded(ref: NodeRef): void {
    this.#ended.add(ref);
    for (const { runtime, clock } of this.#nodes) {
      const host = runtime?.host;
      // A machine that was suspended cannot know.
      if (host?.self === ref && host.leaseValid() && !clock.hasSlept)
        this.#problem(`rule 10: ${ref} would still act although its lease has ended`);
    }
  }
}
