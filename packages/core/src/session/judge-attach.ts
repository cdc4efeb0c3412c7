import type { Beginning, LinkState } from "./link-state.js";
import type { AttachInput } from "./types.js";

/**
 * What an attach to an existing link comes to. `resume`: go on. `reset`, `ended`: the numbers of client and session
 * cannot belong together, or do not, start anew. `refuse`: it is not the client that attached last.
 */
export type AttachJudgement =
  /** The very hello that the link began with: answered as before. Its numbers are of an earlier link. */
  | { readonly kind: "again"; readonly begun: Beginning }
  /** The client has seen more than the session, which goes on from an older copy. */
  | { readonly kind: "lost"; readonly outputs: number; readonly inputs: number }
  | { readonly kind: "resume" }
  /** It is of a link that has ended; a late copy of one of its hellos, or somebody who kept one, began this one. */
  | { readonly kind: "ended" }
  | { readonly kind: "reset" }
  | { readonly kind: "refuse" };

/**
 * Judges an attach. The present token is good; the one before it only for an exact retransmission, or while nobody has shown to
 * know the present one (the welcome may have been lost).
 */
export function judgeAttach(link: LinkState, input: AttachInput, branchEpoch: number): AttachJudgement {
  const current = sameToken(input.token, link.token);
  const previous = sameToken(input.token, link.previousToken);
  const repeated = previous && sameToken(input.nextToken, link.token);
  if (!current && !repeated && !(previous && !link.confirmed)) return { kind: "refuse" };
  if (repeated && link.begun !== null) return { kind: "again", begun: link.begun };
  // The link ended and began anew, and its client has not heard of that: its numbers say nothing, even where they fit.
  if (input.generation > 0 && input.generation < link.firstGeneration) return { kind: "ended" };
  // An offset counts only with its epoch: the numbers of a client that comes from before the branch may be of lost turns.
  if (input.offsetEpoch < branchEpoch) {
    const outputs = Math.max(0, input.lastOut + 1 - (link.branchOut ?? link.nextOut));
    const inputs = Math.max(0, input.acked - link.lastIn);
    if (outputs > 0 || inputs > 0) return { kind: "lost", outputs, inputs };
  }
  // It has been told of more than there is: its numbers are those of an earlier link.
  if (input.lastOut >= link.nextOut || input.acked > link.lastIn) return { kind: "reset" };
  // Inputs may overtake the hello on the old socket while the client switches (make before break), so `sent` is compared with what
  // was handled before the newest attach, which a client that knows the present token had sent before it made this hello.
  if (current && input.sent < link.lastInAtAttach) return { kind: "reset" };
  return { kind: "resume" };
}

/** Compares without telling by its duration where the difference is. */
function sameToken(given: string, kept: string): boolean {
  if (given.length !== kept.length) return false;
  let difference = 0;
  for (let i = 0; i < kept.length; i++) difference |= given.charCodeAt(i) ^ kept.charCodeAt(i);
  return difference === 0;
}
