import type { NodeRef } from "@sojourn/core";
import { decodeHello, FRAME_HEAD_BYTES, KIND, MAX_HANDSHAKE_BYTES } from "./channel-frames.js";

/**
 * Who speaks to whom on a control connection, from its first bytes; null until there are enough of them. For proxies between nodes, which
 * otherwise need not understand anything.
 * @throws SojournError `E_FRAME_MALFORMED`, `E_PROTOCOL_VERSION` when it is no control connection of this version
 */
export function peekHello(bytes: Uint8Array): { readonly from: NodeRef; readonly to: NodeRef } | null {
  if (bytes.length < FRAME_HEAD_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 4 + view.getUint32(0, true);
  const isHello = bytes[4] === KIND.hello && end <= MAX_HANDSHAKE_BYTES + 4;
  if (isHello && bytes.length < end) return null;
  const { from, to } = decodeHello(isHello ? bytes.subarray(FRAME_HEAD_BYTES, end) : bytes.subarray(0, 0));
  return { from, to };
}
