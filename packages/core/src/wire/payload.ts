import { ValueDecoder } from "../codec/value-decoder.js";
import { ValueEncoder } from "../codec/value-encoder.js";

/**
 * Deepest nesting of a message's value. A constant of the client protocol rather than an option, because the two sides of a
 * connection are configured by different people and must agree.
 */
export const MAX_PAYLOAD_DEPTH = 100;

// Scratch space without any memory of earlier values, so two nodes in one process may share it.
const encoder = /* @__PURE__ */ new ValueEncoder(MAX_PAYLOAD_DEPTH, null);
const decoder = /* @__PURE__ */ new ValueDecoder(MAX_PAYLOAD_DEPTH);

/**
 * Encodes the value of one message between client and session as self-contained MessagePack (extension types in codec/tags.ts): plain
 * objects, arrays, Map, Set, Date, bigint, typed arrays, every number and string, undefined and null.
 * @returns bytes of the caller's own
 * @throws SojournError `E_UNTRAVELLABLE` with the path of anything else, `E_STATE_TOO_DEEP`
 */
export function encodePayload(value: unknown): Uint8Array {
  return encoder.encode(value, 0).slice();
}

/**
 * Decodes what `encodePayload` wrote. The value shares no memory with `bytes`.
 * @throws SojournError `E_CODEC_CORRUPT`, `E_STATE_TOO_DEEP`; whatever the bytes are, nothing worse happens
 */
export function decodePayload(bytes: Uint8Array): unknown {
  return decoder.decode(bytes, 0, null);
}
