import type { NodeRef, RecordDraft, SessionRecord } from "@sojourn/core";

/** What a change of a session's record means in the protocol. */
export type WriteMeaning =
  | "claim"
  | "claimLost"
  | "join"
  | "leave"
  | "prepare"
  | "commit"
  | "decline"
  | "takeBack"
  | "promote"
  | "joinStore"
  | "leaveStore"
  | "restore"
  | "strategy"
  | "end";

/**
 * What a write means, by what stood before it.
 * @param isEnded whether a lease has ended at the directory
 */
export function meaningOf(
  draft: Omit<RecordDraft, "writer">,
  previous: SessionRecord | null,
  isEnded: (ref: NodeRef) => boolean,
): WriteMeaning {
  if (draft.ended) return "end";
  if (previous === null || previous.ended) return "claim";
  if (draft.owner === previous.owner) {
    if (draft.epoch > previous.epoch) return previous.heir !== null && isEnded(previous.heir) ? "takeBack" : "decline";
    if (draft.heir !== null && previous.heir === null) return "prepare";
    if (draft.strategy !== previous.strategy) return "strategy";
    if (draft.stored !== previous.stored) return draft.stored ? "joinStore" : "leaveStore";
    return draft.inSync.length >= previous.inSync.length ? "join" : "leave";
  }
  if (draft.owner === previous.heir && draft.epoch === previous.epoch + 1 && !isEnded(previous.owner)) return "commit";
  if (draft.owner === previous.heir && draft.inSync.includes(previous.owner)) return "commit";
  return previous.inSync.includes(draft.owner) || previous.heir === draft.owner
    ? "promote"
    : previous.strategy === "replica"
      ? "claimLost"
      : "restore";
}

/** Who wrote. */
export function writerOf(draft: Pick<RecordDraft, "writer">): NodeRef {
  return draft.writer.slice(0, draft.writer.lastIndexOf("/"));
}
