import type { NodeRef, SessionKey } from "../names.js";
import type { SessionCell } from "../session/session-port.js";
import type { OwnerStart } from "./role.js";
import type { SlotHost } from "./slot-host.js";

/** The nodes on which clients' sockets are. */
export function ingressesOf(cell: SessionCell): Set<NodeRef> {
  const ingresses = new Set<NodeRef>();
  for (const { ingress } of cell.links.values()) if (ingress !== null) ingresses.add(ingress);
  return ingresses;
}

/** An owner that has just begun. */
interface Announcer {
  readonly host: SlotHost;
  readonly key: SessionKey;
  readonly epoch: number;
}

/**
 * Tells them, and this node's own clients, who owns the session now. After a planned move the owner before tells its own; one that was
 * replaced on suspicion may live, and not know.
 */
export function announce(
  { host, key, epoch }: Announcer,
  ingresses: ReadonlySet<NodeRef>,
  cause: Extract<OwnerStart["cause"], { readonly from: NodeRef }>,
): void {
  const { from } = cause;
  const planned = cause.kind === "taken";
  const { blackoutMs, settleMs } = planned ? cause : { blackoutMs: 0, settleMs: 0 };
  for (const ingress of ingresses) {
    if (ingress === host.self || (planned && ingress === from)) continue;
    host.send(ingress, "control", { t: "route", session: key, epoch, owner: host.self, from, blackoutMs, settleMs });
  }
  host.ownerChanged(key, epoch, host.self, from, blackoutMs, settleMs);
}

/** The sockets of all links are the session's no longer: their clients say hello again on them. */
export function unlinkAll({ host, key }: Pick<Announcer, "host" | "key">, cell: SessionCell): void {
  for (const { id, generation, ingress } of cell.links.values()) {
    if (ingress !== null) host.unlink(key, { id, generation, ingress });
  }
}
