import type { NodeRef, PeerMessage, RecordDraft, SessionKey, SessionRecord } from "@sojourn/core";
import type { SimNode } from "../../sim-cluster.js";
import type { World } from "../world.js";
import { meaningOf, type WriteMeaning, writerOf } from "../writes.js";
import { ownsSomething, processOf, sessionIn, slotAt } from "./places.js";

const NEAR_LIMIT = 2 ** 52;
/** A node stops acting when this part of its lease is left. */
const MARGIN = 0.1;

/** Looks for the cases between nodes and their directory: lost and late answers, stale reads, restarts, leases. */
export class DirectoryCases {
  readonly #world: World;
  /** In which life of the directory each write was first asked; a retry carries the same name. */
  readonly #lives = new Map<string, number>();
  readonly #applied = new Set<string>();
  /** Copies whose promotion has been asked and is not decided, by session and node. */
  readonly #promoting = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    world.cluster.directory.onUp(() => this.#restarted());
  }

  asked(key: SessionKey, draft: RecordDraft): void {
    const world = this.#world;
    const { life, records } = world.cluster.directory;
    const first = this.#lives.get(draft.writer);
    if (first === undefined) this.#lives.set(draft.writer, life);
    else if (this.#applied.has(draft.writer)) this.#reach(first === life ? "4a" : "5");
    const previous = records.get(key) ?? null;
    if (previous === null) return;
    const meaning = meaningOf(draft, previous, (ref) => world.observers.isEnded(ref));
    const by = writerOf(draft);
    if (meaning === "takeBack" && previous.heir !== null && processOf(world, previous.heir) !== null) this.#reach("2");
    if (meaning !== "promote") return;
    this.#promoting.add(`${key}|${by}`);
    if (!world.observers.isEnded(previous.owner) && processOf(world, previous.owner) !== null) this.#reach("20b");
  }

  written(record: SessionRecord, previous: SessionRecord | null, meaning: WriteMeaning, key: SessionKey): void {
    const world = this.#world;
    this.#applied.add(record.writer);
    if (record.epoch > NEAR_LIMIT && (meaning === "commit" || meaning === "promote")) this.#reach("34");
    if (meaning === "promote" && previous !== null && slotAt(world, previous.owner, key)?.role.kind === "owner") this.#reach("14");
  }

  delivered(type: PeerMessage["t"] | undefined, from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    if (type !== "delta" || this.#promoting.size === 0) return;
    const key = sessionIn(bytes);
    if (key === null || !this.#promoting.has(`${key}|${to}`)) return;
    const slot = slotAt(this.#world, to, key);
    if (slot === undefined || slot.role.kind !== "standby" || !slot.cas.pending) this.#promoting.delete(`${key}|${to}`);
    else if (slot.cas.record?.owner === from) this.#reach("15");
  }

  fault(node: SimNode, kind: "lostAnswer" | "lateWrite" | "unreachable", write: boolean): void {
    if (kind === "lateWrite") this.#reach("4b");
    if (kind !== "unreachable" || !write) return;
    for (const { role, owner } of node.runtime?.host?.slots.values() ?? []) {
      if (role.kind === "granted" || owner?.recorded === false) {
        this.#reach("8");
        return;
      }
    }
  }

  answered(kind: "read" | "renew", key: string, answer: unknown, tookMs: number): void {
    const { directory, limits } = this.#world.cluster;
    if (kind === "renew") {
      if (tookMs > limits.leaseTtlMs * MARGIN) this.#reach("18");
      return;
    }
    const now = directory.records.get(key)?.revision ?? 0;
    if (((answer as SessionRecord | null)?.revision ?? 0) < now) this.#reach("6");
  }

  #restarted(): void {
    const world = this.#world;
    for (const { owner, ended } of world.cluster.directory.records.values()) {
      if (!ended && processOf(world, owner) !== null) {
        this.#reach("7");
        return;
      }
    }
  }

  /** The wall clock of a node jumped. */
  wallJumped(node: SimNode): void {
    if (ownsSomething(node)) this.#reach("17a");
  }

  #reach(id: string): void {
    this.#world.reached.count(`case ${id}`);
  }
}
