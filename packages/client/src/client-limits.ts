import { type Limits, SojournError } from "@sojourn/core";

/**
 * The bounds a client uses: default, least and greatest value. A copy of the rows in core's catalogue, because the catalogue
 * with its texts would be a fifth of a browser's download; a test keeps the copy equal.
 */
export const CLIENT_LIMITS = {
  maxClientFrameBytes: [262_144, 1_024, 16_777_216],
  maxUnackedInputs: [1_024, 1, 1_000_000],
  reorderWindowMessages: [256, 1, 65_536],
  spareSocketMs: [30_000, 0, 600_000],
  clientHeartbeatMs: [15_000, 100, 300_000],
  callTimeoutMs: [30_000, 10, 3_600_000],
  reconnectMinMs: [50, 1, 60_000],
  reconnectMaxMs: [5_000, 10, 600_000],
  connectTimeoutMs: [30_000, 100, 600_000],
  attemptTimeoutMs: [5_000, 50, 120_000],
  ackDelayMs: [50, 0, 10_000],
  ackEveryMessages: [32, 1, 65_536],
  gapRetryMs: [500, 10, 60_000],
  maxRetransmits: [5, 1, 100],
  maxSpareSockets: [2, 0, 16],
  maxKnownEndpoints: [32, 1, 1_024],
  switchSpreadMs: [1_000, 0, 60_000],
  maxSwitchAttempts: [5, 1, 100],
  retransmitMs: [2_000, 50, 120_000],
} as const satisfies { readonly [K in keyof Limits]?: readonly [number, number, number] };

/** The bounds of a client with a value each. */
export type ClientLimits = { readonly [K in keyof typeof CLIENT_LIMITS]: number };

/**
 * Completes partial limits with the defaults.
 * @throws SojournError `E_LIMIT_INVALID` for an unknown name, a non-integer, or a value outside its range
 */
export function resolveClientLimits(partial: Partial<ClientLimits> = {}): ClientLimits {
  const table: Record<string, readonly [number, number, number]> = CLIENT_LIMITS;
  const resolved: Record<string, number> = {};
  for (const name in table) resolved[name] = (table[name] as readonly number[])[0] as number;
  for (const [name, value] of Object.entries(partial)) {
    if (value === undefined) continue;
    const row = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!row || !Number.isInteger(value) || value < row[1] || value > row[2]) {
      throw new SojournError(
        "E_LIMIT_INVALID",
        `${name}: ${row ? `${value} is not a whole number from ${row[1]} to ${row[2]}` : "no such limit"}`,
      );
    }
    resolved[name] = value;
  }
  return resolved as ClientLimits;
}
