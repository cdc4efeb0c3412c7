import { decodePeerMessage, type NodeRef, nodeIdOf, type PeerMessage, type PeerMessageOf, type SessionKey } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { SimNode } from "../../sim-cluster.js";
import type { World } from "../world.js";
import { hopsIn, processOf, sessionIn, slotAt } from "./places.js";

const SECOND_MS = 1_000;

/** Looks for the cases in which ownership moves: GRANTs out of place, crashes at the wrong moment, chains and crossings. */
export class OwnershipCases {
  readonly #world: World;
  /** The newest attempt that a node has offered of a session, by both names. */
  readonly #attempts = new Map<string, number>();
  /** The version at which a session was last granted, by session and new owner. */
  readonly #grantedAt = new Map<string, number>();
  /** When the latest of each happened. */
  #membersAtMs = Number.NEGATIVE_INFINITY;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #crashAtMs = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
  }

  sent(type: PeerMessage["t"] | undefined, from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    if (type === "offer") {
      const offer = decode(bytes, "offer");
      if (offer !== null) this.#attempts.set(`${offer.session}|${from}`, offer.attempt);
    } else if (type === "refuse") {
      const refusal = decode(bytes, "refuse");
      if (refusal?.code !== "E_QUEUE_FULL") return;
      const [here, there] = [nodeIdOf(from), nodeIdOf(to)];
      for (const move of this.#world.moves)
        if (move.from === here && move.to === there) {
          this.#reach("22");
          return;
        }
    }
  }

  delivered(type: PeerMessage["t"] | undefined, from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    switch (type) {
      case "grant": {
        const grant = decode(bytes, "grant");
        if (grant !== null) this.#granted(from, to, grant);
        return;
      }
      case "taken": {
        const taken = decode(bytes, "taken");
        if (taken !== null && taken.attempt < (this.#attempts.get(`${taken.session}|${to}`) ?? 0)) this.#reach("3");
        return;
      }
      case "attach":
      case "input":
        if (hopsIn(bytes) >= 2 && sessionIn(bytes) !== null) this.#reach("21");
        return;
      default:
        return;
    }
  }

  #granted(from: NodeRef, self: NodeRef, grant: PeerMessageOf<"grant">): void {
    const { session, to, epoch, attempt } = grant;
    const record = this.#world.cluster.directory.records.get(session);
    if (to !== self) {
      if (nodeIdOf(to) === nodeIdOf(self)) this.#reach("10");
      this.#reach("1");
      return;
    }
    if (attempt < (this.#attempts.get(`${session}|${from}`) ?? 0)) this.#reach("3");
    const slot = slotAt(this.#world, self, session);
    const taken = slot?.owner !== null && slot?.owner?.epoch === epoch;
    if (taken && slot?.owner?.recorded === true) this.#reach("9");
    else if (!taken && (record?.heir !== self || record.epoch !== epoch - 1)) this.#reach("1");
    if (!taken) this.#grantedAt.set(`${session}|${self}`, grant.version);
  }

  disconnected(a: NodeRef, b: NodeRef, silent: boolean): void {
    const world = this.#world;
    if (!silent || processOf(world, a) === null || processOf(world, b) === null) return;
    for (const { owner, inSync, ended } of world.cluster.directory.records.values()) {
      if (!ended && ((owner === a && inSync.includes(b)) || (owner === b && inSync.includes(a)))) {
        this.#reach("20a");
        return;
      }
    }
  }

  crashing(node: SimNode): void {
    const world = this.#world;
    this.#crashAtMs = world.nowMs;
    this.#together();
    const host = node.runtime?.host;
    if (host === null || host === undefined) return;
    const { self } = host;
    for (const { key, role, owner } of host.slots.values()) {
      const record = world.cluster.directory.records.get(key);
      if (record === undefined) continue;
      if (role.kind === "granted" && record.owner !== self && nodeIdOf(record.owner) !== node.id) this.#reach("12");
      const grantedAt = this.#grantedAt.get(`${key}|${self}`);
      if (owner === null || grantedAt === undefined || owner.epoch - 1 < record.epoch - 1) continue;
      if (record.heir === self) this.#reach(slotAt(world, record.owner, key)?.role.kind === "granted" ? "11a" : "11b");
      else if (record.owner === self && owner.released <= grantedAt + 1) this.#reach("11c");
    }
    for (const { owner, heir, ended } of world.cluster.directory.records.values()) {
      if (ended || heir === null || (owner !== self && heir !== self)) continue;
      if (processOf(world, owner === self ? heir : owner) === null) this.#reach("13");
    }
  }

  waking(node: SimNode): void {
    const host = node.runtime?.host;
    if (host === null || host === undefined || !this.#world.observers.isEnded(host.self)) return;
    if (host.ownedKeys().length > 0) this.#reach(node.clock.asleep ? "17b" : "16");
  }

  membersChanged(): void {
    this.#membersAtMs = this.#world.nowMs;
    this.#together();
  }

  cut(): void {
    this.#cutAtMs = this.#world.nowMs;
    this.#together();
  }

  #together(): void {
    const since = this.#world.nowMs - SECOND_MS;
    if (this.#membersAtMs >= since && this.#cutAtMs >= since && this.#crashAtMs >= since) this.#reach("25");
  }

  turn(session: SessionKey, what: string): void {
    if (what !== "end") return;
    for (const move of this.#world.moves)
      if (move.session === session) {
        this.#reach("23");
        return;
      }
  }

  #reach(id: string): void {
    this.#world.reached.count(`case ${id}`);
  }
}

/** A message of that type; null when it is damaged. */
export function decode<T extends PeerMessage["t"]>(bytes: Uint8Array, t: T): PeerMessageOf<T> | null {
  try {
    const message = decodePeerMessage(systemCrc32, bytes);
    return message.t === t ? (message as PeerMessageOf<T>) : null;
  } catch {
    return null;
  }
}
