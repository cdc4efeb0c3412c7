import { type Durability, type HistogramData, mergeHistograms, type SessionKey } from "@sojourn/core";

/** What the sessions of one kind are like. Rates and distributions speak of the last minutes, `turns` and `moves` of all time. */
export interface KindReport {
  readonly kind: string;
  readonly durability: Durability;
  /** Owned right now. */
  readonly sessions: number;
  /** Those that had turns in the last window. */
  readonly active: number;
  readonly turns: number;
  readonly moves: number;
  /** Of all sessions together. */
  readonly turnsPerSec: number;
  readonly movesPerSec: number;
  /** Encoded size of sessions that had turns, each counted once a window. */
  readonly stateBytes: HistogramData;
  /** What turns changed, encoded; only of sessions of which a copy is kept. */
  readonly deltaBytes: HistogramData;
  /** Turns of each session that had some, once a window. */
  readonly sessionTurnsPerSec: HistogramData;
  readonly blackoutMs: HistogramData;
  /** Encoding a change at the owner, and applying it at a copy; samples. */
  readonly encodeUs: HistogramData;
  readonly applyUs: HistogramData;
  /** Encoding a whole session; samples. */
  readonly snapshotUs: HistogramData;
}

/** One busy session. */
export interface SessionReport {
  readonly session: SessionKey;
  /** The node that reports it. */
  readonly node: string;
  readonly turnsPerSec: number;
  /** Null: not known. */
  readonly stateBytes: number | null;
  readonly moves: number;
  readonly deltaBytes: HistogramData;
  /** Each window's. */
  readonly turnsPerSecOverTime: HistogramData;
  readonly blackoutMs: HistogramData;
}

/** What a node, or several, know of their sessions. */
export interface Profile {
  readonly kinds: readonly KindReport[];
  /** The busiest first. */
  readonly sessions: readonly SessionReport[];
}

const DISTRIBUTIONS = ["stateBytes", "deltaBytes", "sessionTurnsPerSec", "blackoutMs", "encodeUs", "applyUs", "snapshotUs"] as const;
const SUMS = ["sessions", "active", "turns", "moves", "turnsPerSec", "movesPerSec"] as const;

/** One profile of many nodes'. A session that moved is reported once, where it was busiest, with all its moves. */
export function mergeProfiles(profiles: readonly Profile[], limit: number): Profile {
  const kinds = new Map<string, KindReport>();
  const sessions = new Map<SessionKey, SessionReport>();
  for (const profile of profiles) {
    for (const report of profile.kinds) {
      const known = kinds.get(report.kind);
      kinds.set(report.kind, known === undefined ? report : mergeKinds(known, report));
    }
    for (const report of profile.sessions) {
      const known = sessions.get(report.session);
      sessions.set(report.session, known === undefined ? report : mergeSessions(known, report));
    }
  }
  const busiest = [...sessions.values()].sort((a, b) => b.turnsPerSec - a.turnsPerSec || (a.session < b.session ? -1 : 1));
  return { kinds: [...kinds.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1)), sessions: busiest.slice(0, limit) };
}

function mergeKinds(a: KindReport, b: KindReport): KindReport {
  const merged: Record<string, unknown> = { ...a };
  for (const name of SUMS) merged[name] = a[name] + b[name];
  for (const name of DISTRIBUTIONS) merged[name] = mergeHistograms([a[name], b[name]]);
  return merged as unknown as KindReport;
}

function mergeSessions(a: SessionReport, b: SessionReport): SessionReport {
  const busier = a.turnsPerSec >= b.turnsPerSec ? a : b;
  return {
    ...busier,
    stateBytes: busier.stateBytes ?? a.stateBytes ?? b.stateBytes,
    moves: a.moves + b.moves,
    deltaBytes: mergeHistograms([a.deltaBytes, b.deltaBytes]),
    turnsPerSecOverTime: mergeHistograms([a.turnsPerSecOverTime, b.turnsPerSecOverTime]),
    blackoutMs: mergeHistograms([a.blackoutMs, b.blackoutMs]),
  };
}
