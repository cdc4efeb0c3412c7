import type { ErrorCode } from "@sojourn/core";

const STATUS: Partial<Record<ErrorCode, number>> = {
  E_CONFIG_INVALID: 400,
  E_SESSION_KEY_INVALID: 400,
  E_ADMIN_REFUSED: 401,
  E_ROUTE_UNKNOWN: 404,
  E_NODE_UNKNOWN: 404,
  E_SESSION_UNKNOWN: 404,
  E_KIND_UNKNOWN: 409,
  E_MOVE_REFUSED: 409,
  E_MOVE_FAILED: 409,
  E_MOVE_BUSY: 409,
  E_NODE_ALIVE: 409,
  E_NODE_CORDONED: 409,
  E_NOT_OWNER: 409,
  E_STRATEGY_INVALID: 409,
  E_STRATEGY_FAILED: 409,
  E_FRAME_TOO_LARGE: 413,
  E_PEER_UNREACHABLE: 502,
  E_SESSION_BUSY: 503,
  E_LEASE_ENDED: 503,
  E_DIRECTORY_UNAVAILABLE: 503,
  E_DIRECTORY_UNKNOWN_OUTCOME: 503,
};

/** The HTTP status that goes with an error. */
export function httpStatusOf(code: string): number {
  return STATUS[code as ErrorCode] ?? 500;
}
