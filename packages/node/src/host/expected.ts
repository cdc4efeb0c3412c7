import type { NodeRef, SessionFactory, SessionKey, Slot, Suspicion } from "@sojourn/core";

/**
 * What is to be expected of a session for which nobody answers. `answer`: its owner, as far as that is known here, may be alive.
 * Otherwise it is certainly lost, and another node takes over: `takeOver` any moment, `leaseEnd` not before the owner's lease has ended.
 */
export type Expected = "answer" | "takeOver" | "leaseEnd";

/** What the node knows of others and of its definitions. */
interface Knowing {
  readonly self: NodeRef;
  isEnded(ref: NodeRef): boolean;
  suspicionOf(ref: NodeRef): Suspicion;
  factoryOf(key: SessionKey): SessionFactory | null;
}

/**
 * @param slot the session's place on this node
 * @param routed who is believed to own it
 */
export function expectedOf(node: Knowing, key: SessionKey, slot: Slot | undefined, routed: NodeRef | undefined): Expected {
  const owner = slot?.followed ?? routed;
  if (owner === undefined || owner === node.self) return "answer";
  if (node.isEnded(owner)) return "takeOver";
  if (node.suspicionOf(owner) !== "gone") return "answer";
  return node.factoryOf(key)?.failover === "suspicion" ? "takeOver" : "leaseEnd";
}
