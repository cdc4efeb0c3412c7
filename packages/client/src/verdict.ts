import type { ClientFrameOf } from "@sojourn/core";

/** Trying again, here or elsewhere, cannot help. */
const FINAL = /^E_(AUTH_REFUSED|KIND_UNKNOWN|SESSION_KEY_INVALID|PROTOCOL_VERSION|SESSION_ENDED|FRAME_TOO_LARGE|FRAME_MALFORMED)$/;
/** The session cannot continue this link; a new one may start. */
const RENEW = /^E_(LINK_TOKEN|LINK_UNKNOWN|SEQUENCE_INVALID|TURNS_LOST)$/;
/** A fact about this socket or this moment, whatever pause the node named. */
const PASSING = /^E_(LINK_|QUEUE_|NODE_|NOT_OWNER|SESSION_|HELLO_|EPOCH_|PEER_|DIRECTORY_|LEASE_)/;

/** What a fatal problem means for the link: `final` ends it, `renew` starts a new one, `again` connects again. */
export type Verdict = "final" | "renew" | "again";

/** Judges a fatal problem by its code, and by its pause where the code is not known: 0 means do not retry. */
export function verdictOn(problem: ClientFrameOf<"problem">): Verdict {
  if (FINAL.test(problem.code)) return "final";
  if (RENEW.test(problem.code)) return "renew";
  return problem.retryAfterMs > 0 || PASSING.test(problem.code) ? "again" : "final";
}
