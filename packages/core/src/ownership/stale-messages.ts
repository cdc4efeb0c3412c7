import type { NodeRef } from "../names.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { OwnerStart } from "./role.js";
import type { SlotHost } from "./slot-host.js";

/** An offer reached the owner itself: whoever made it is one no longer. */
export function refuseOffer(host: SlotHost, from: NodeRef, { session, epoch, attempt }: PeerMessageOf<"offer">): void {
  host.send(from, "control", { t: "refuse", session, epoch, attempt, code: "E_EPOCH_STALE", retryAfterMs: 0 });
}

/** A GRANT reached its owner: sent again because the answer was lost [11], or of an epoch that is over [9]. */
export function answerGrant(
  host: SlotHost,
  from: NodeRef,
  message: PeerMessageOf<"grant">,
  owner: { readonly epoch: number; readonly cause: OwnerStart["cause"] },
): void {
  const { cause, epoch } = owner;
  const { session, attempt, version } = message;
  if (cause.kind === "taken" && message.epoch === epoch && attempt === cause.attempt) {
    host.send(from, "control", { t: "taken", session, epoch, attempt, version, blackoutMs: cause.blackoutMs });
  } else if (message.epoch <= epoch) {
    host.send(from, "control", { t: "fence", session, epoch });
  }
}
