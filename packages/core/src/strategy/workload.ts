import { SojournError } from "../errors/sojourn-error.js";
import { LIMITS } from "../limits/catalogue.js";
import type { Durability } from "../session/definition.js";
import type { StoreKind } from "./strategy.js";

/** What sessions of one kind are like, and what they may cost. */
export interface Workload {
  /** Encoded size of one session. */
  readonly stateBytes: number;
  /** Encoded size of what one turn changes. */
  readonly deltaBytes: number;
  /** Turns of one session. */
  readonly turnsPerSec: number;
  /** Moves of all sessions together. */
  readonly movesPerSec: number;
  readonly durability: Durability;
  readonly sessions: number;
  /** What all nodes together have for sessions; null: no matter. */
  readonly memoryBytes: number | null;
  /** In-memory copies besides the owner's, under `replica`. */
  readonly standbys: number;
  /** Where `snapshot` and `hybrid` keep what they write. */
  readonly store: StoreKind;
  /** How often `snapshot` writes a session that has turns, and `hybrid` takes a base if its log is worth one. */
  readonly snapshotIntervalMs: number;
  readonly baseIntervalMs: number;
  /** Size of the log over that of the base from which on it is worth the next, in per cent. */
  readonly baseLogPercent: number;
  /** `hybrid` takes a base before replaying the log would take longer. */
  readonly replayBudgetMs: number;
  readonly leaseTtlMs: number;
}

/** What must be said of a workload; the rest has defaults. */
export type WorkloadInput = Pick<Workload, "stateBytes" | "turnsPerSec" | "movesPerSec"> & Partial<Workload>;

/** A turn's change when nobody says how large it is. */
export const DEFAULT_DELTA_BYTES = 200;

/**
 * Completes a workload.
 * @throws SojournError `E_CONFIG_INVALID` for a number that makes no sense
 */
export function resolveWorkload(input: WorkloadInput): Workload {
  const workload: Workload = {
    deltaBytes: Math.min(DEFAULT_DELTA_BYTES, input.stateBytes),
    durability: "strong",
    sessions: 1,
    memoryBytes: null,
    standbys: Math.max(1, LIMITS.standbys.default),
    store: "disk",
    snapshotIntervalMs: LIMITS.snapshotIntervalMs.default,
    baseIntervalMs: LIMITS.baseIntervalMs.default,
    baseLogPercent: LIMITS.baseLogPercent.default,
    replayBudgetMs: LIMITS.replayBudgetMs.default,
    leaseTtlMs: LIMITS.leaseTtlMs.default,
    ...input,
  };
  const { memoryBytes } = workload;
  check("stateBytes", workload.stateBytes, 1);
  check("deltaBytes", workload.deltaBytes, 0);
  check("turnsPerSec", workload.turnsPerSec, 0);
  check("movesPerSec", workload.movesPerSec, 0);
  check("sessions", workload.sessions, 1);
  check("standbys", workload.standbys, 1);
  check("snapshotIntervalMs", workload.snapshotIntervalMs, 1);
  check("baseIntervalMs", workload.baseIntervalMs, 1);
  check("baseLogPercent", workload.baseLogPercent, 0);
  check("replayBudgetMs", workload.replayBudgetMs, 1);
  check("leaseTtlMs", workload.leaseTtlMs, 1);
  if (memoryBytes !== null) check("memoryBytes", memoryBytes, 1);
  return workload;
}

function check(name: string, value: number, min: number): void {
  if (!Number.isFinite(value) || value < min) {
    throw new SojournError("E_CONFIG_INVALID", `${name} must be a number from ${min} up, not ${value}`, { name });
  }
}
