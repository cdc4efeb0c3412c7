import { ERRORS, type ErrorCode } from "./catalogue.js";

/** Plain facts that belong to an error: paths, names, numbers. Never secrets, never payloads. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The one error class of Sojourn. `code` is stable; `message` is for people. */
export class SojournError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message?: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message ?? ERRORS[code], cause === undefined ? undefined : { cause });
    this.name = "SojournError";
    this.code = code;
    this.details = details;
  }
}

/** True when `value` is a known error code (used on codes that arrive over the wire). */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERRORS, value);
}

/** The code of any thrown value; what is not ours counts as `E_INTERNAL`. */
export function errorCodeOf(thrown: unknown): ErrorCode {
  return thrown instanceof SojournError ? thrown.code : "E_INTERNAL";
}
