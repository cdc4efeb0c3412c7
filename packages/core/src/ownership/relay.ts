import type { NodeRef } from "../names.js";
import type { ClientOp } from "./role.js";
import type { SlotHost } from "./slot-host.js";

/**
 * Passes a client's message on to where the session is believed to be. A message that has been passed on too often is not: its
 * ingress is told to ask the directory. What gets lost on the way the client sends again.
 */
export function relay(host: SlotHost, to: NodeRef, op: ClientOp): void {
  if (op.hops >= host.limits.maxRelayHops || to === host.self) {
    misdirect(host, op);
    return;
  }
  host.send(to, "control", { ...op, hops: op.hops + 1 });
}

/** Tells the ingress of a client's message that the session is not here. */
export function misdirect(host: SlotHost, op: ClientOp): void {
  host.send(op.ingress, "control", { t: "misdirected", session: op.session, link: op.link, socket: op.t === "attach" ? op.socket : 0 });
}
