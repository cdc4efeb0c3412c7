import { type PeerMessage, peerGrammar } from "@sojourn/core";

/** Types of messages between nodes by their first byte. */
export const FRAME_TYPES: ReadonlyMap<number, PeerMessage["t"]> = /* @__PURE__ */ new Map(
  peerGrammar().map(({ code, name }) => [code, name as PeerMessage["t"]]),
);
