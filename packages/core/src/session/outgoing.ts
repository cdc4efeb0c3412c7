import { SojournError } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import { rawOf } from "../state/registry.js";
import { encodePayload } from "../wire/payload.js";

/** Room for the other fields of the frame that carries a payload. */
const FRAME_RESERVE_BYTES = 256;
/** Text of a failure is cut to this. */
const MAX_FAILURE_TEXT = 1_000;

/**
 * Encodes what goes to a client.
 * @throws SojournError `E_UNTRAVELLABLE`, `E_STATE_TOO_DEEP`, `E_FRAME_TOO_LARGE`
 */
export function encodeOutgoing(value: unknown, limits: Limits): Uint8Array {
  const payload = encodePayload(typeof value === "object" && value !== null ? rawOf(value) : value);
  if (payload.length > limits.maxClientFrameBytes - FRAME_RESERVE_BYTES) {
    throw new SojournError("E_FRAME_TOO_LARGE", `a message of ${payload.length} bytes does not fit into a client frame`, {
      bytes: payload.length,
      maxClientFrameBytes: limits.maxClientFrameBytes,
    });
  }
  return payload;
}

/** What a client is told about a failed call: a code of the catalogue, the error's message, no stack. */
export interface Failure {
  readonly code: string;
  readonly payload: Uint8Array;
}

/** Describes whatever was thrown. Errors that are not ours count as `E_HANDLER_FAILED`. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof SojournError) return failure(thrown.code, thrown.message, thrown.details);
  return failure("E_HANDLER_FAILED", messageOf(thrown), {});
}

function failure(code: string, message: string, details: object): Failure {
  const text = message.length > MAX_FAILURE_TEXT ? `${message.slice(0, MAX_FAILURE_TEXT)}…` : message;
  return { code, payload: encodePayload({ message: text, details }) };
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return "a value that cannot be shown was thrown";
  }
}
