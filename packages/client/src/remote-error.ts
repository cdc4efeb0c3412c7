import { type ErrorCode, SojournError } from "@sojourn/core";

/** An error that another side named, with what it said about it. A code that this version does not know is kept as it is. */
export function remoteError(code: string, said: unknown): SojournError {
  const { message, details } = (said ?? {}) as { message?: unknown; details?: unknown };
  return new SojournError(
    // The catalogue of a newer node may hold more codes; a caller compares strings either way.
    code as ErrorCode,
    typeof message === "string" && message !== "" ? message : code,
    typeof details === "object" && details !== null ? (details as SojournError["details"]) : {},
  );
}
