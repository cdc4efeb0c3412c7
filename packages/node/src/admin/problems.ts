import { isErrorCode, SojournError } from "@sojourn/core";
import type { AdminProblem } from "./commands.js";

/** Any thrown value as it is passed on; what is not ours becomes `E_INTERNAL` without its inner words. */
export function problemOf(thrown: unknown): AdminProblem {
  const error = thrown instanceof SojournError ? thrown : new SojournError("E_INTERNAL", undefined, {}, thrown);
  return { code: error.code, message: error.message, details: error.details };
}

/** The error that a problem was made of. A code of a newer version becomes `E_INTERNAL`. */
export function errorOf({ code, message, details }: AdminProblem): SojournError {
  return isErrorCode(code) ? new SojournError(code, message, details) : new SojournError("E_INTERNAL", `${code}: ${message}`, details);
}
