import { round } from "../common/percentiles.js";
import type { StrategyRow } from "./measure-size.js";

/** A goal that was set before anything was measured. */
export interface Goal {
  readonly goal: string;
  readonly value: number;
  readonly limit: string;
  readonly met: boolean;
}

const GOAL_BYTES = 5_000;
const P50_OVER_FLOOR = { replica: 4, hybrid: 4, snapshot: 30 } as const;
const P99_OVER_CONTROL = 2;
const STRONG_SHARE = 0.6;
const REPLAY_MS = 20;

/** The goals at 5 KB. */
export function goalsOf(rows: readonly StrategyRow[]): Goal[] {
  const goals: Goal[] = [];
  const atMost = (goal: string, value: number, limit: number) =>
    goals.push({ goal, value: round(value), limit: `at most ${limit}`, met: value <= limit });
  for (const row of rows.filter(({ stateBytes }) => stateBytes === GOAL_BYTES)) {
    const { strategy } = row;
    atMost(`${strategy}: blackout p50 over the floor's`, row.blackoutP50OverFloor, P50_OVER_FLOOR[strategy]);
    atMost(`${strategy}: blackout p99 over the control window's`, row.blackoutP99OverControl, P99_OVER_CONTROL);
    if (strategy !== "hybrid") continue;
    const share = row.turnsPerSecOverVolatile;
    goals.push({
      goal: "hybrid, strong: turns/s over volatile",
      value: round(share),
      limit: `at least ${STRONG_SHARE}`,
      met: share >= STRONG_SHARE,
    });
    atMost(`hybrid: replay of a log of 5 s (${row.restoreParts.logTurns} turns), ms`, row.restoreParts.replayMs, REPLAY_MS);
  }
  return goals;
}
