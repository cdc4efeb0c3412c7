import { expect, it } from "vitest";
import { goalsOf } from "./goals.js";
import type { StrategyRow } from "./measure-size.js";

const row = (stateBytes: number, strategy: StrategyRow["strategy"], figures: Partial<StrategyRow>): StrategyRow =>
  ({ stateBytes, strategy, restoreParts: { replayMs: 20, logTurns: 500 }, ...figures }) as StrategyRow;

it("holds the rows of 5 KB against the goals, and no others", () => {
  const at = { blackoutP50OverFloor: 4, blackoutP99OverControl: 2, turnsPerSecOverVolatile: 0.6 };
  const over = { blackoutP50OverFloor: 30.1, blackoutP99OverControl: 2.1 };
  const goals = goalsOf([row(1_000, "replica", over), row(5_000, "replica", at), row(5_000, "hybrid", at), row(5_000, "snapshot", over)]);
  expect(goals.map(({ met }) => met)).toEqual([true, true, true, true, true, true, false, false]);
  expect(goalsOf([row(5_000, "hybrid", { ...at, turnsPerSecOverVolatile: 0.59 })]).filter(({ met }) => !met)).toHaveLength(1);
});
