import { type NodeRef, nodeIdOf, type SessionKey, type Slot } from "@sojourn/core";
import type { SimNode } from "../../sim-cluster.js";
import type { World } from "../world.js";

const KEYS = Array.from({ length: 10 }, (_, i) => `swarm/s${i}`);
const ZERO = 48;

/** The session that a message between nodes is about: its first field. Null when it is about none of the run's. */
export function sessionIn(bytes: Uint8Array): SessionKey | null {
  return bytes[1] === 8 ? (KEYS[(bytes[9] as number) - ZERO] ?? null) : null;
}

/** The number of nodes that have passed a client's message on: its second field. */
export function hopsIn(bytes: Uint8Array): number {
  return bytes[2 + (bytes[1] as number)] as number;
}

/** The process that a ref names, if that life of it is still there. */
export function processOf(world: World, ref: NodeRef): SimNode | null {
  const node = world.cluster.nodes.get(nodeIdOf(ref));
  return node?.runtime?.host?.self === ref ? node : null;
}

/** A session's place in that life of a node. */
export function slotAt(world: World, ref: NodeRef, key: SessionKey): Slot | undefined {
  return processOf(world, ref)?.runtime?.host?.slots.get(key);
}

/** Whether a node owns anything at the moment. */
export function ownsSomething(node: SimNode): boolean {
  for (const slot of node.runtime?.host?.slots.values() ?? []) if (slot.role.kind === "owner") return true;
  return false;
}
