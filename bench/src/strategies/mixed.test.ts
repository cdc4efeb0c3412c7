import { describe, expect, it } from "vitest";
import { mixedGoals, scoreOf } from "./mixed.js";

const cost = (blackoutP50Us: number, memoryBytes: number, ioBytes: number) => ({
  blackoutP50Us,
  memoryBytes,
  ioBytes,
  moves: 0,
  movesFailed: 0,
  messages: 0,
  lost: 0,
  kept: {},
});
const FIXED = [cost(100, 200, 10), cost(110, 100, 30), cost(120, 100, 20)];

describe("the mixture's score", () => {
  it("holds each cost against the least that a fixed strategy has of it", () => {
    expect(scoreOf(cost(110, 100, 20), FIXED)).toEqual({
      ratios: { blackoutP50Us: 1.1, memoryBytes: 1, ioBytes: 2 },
      worstRatio: 2,
      score: (1.1 + 1 + 2) / 3,
    });
  });

  it("asks of auto that it is near the best in each cost, and the best in their sum", () => {
    const judged = (worstRatio: number, score: number) =>
      mixedGoals({ worstRatio, score, fixedScores: { replica: 1.4, hybrid: 1.6, snapshot: 1.3 }, costs: {} as never }).map(
        ({ met }) => met,
      );
    expect(judged(1.15, 1.29)).toEqual([true, true]);
    expect(judged(1.16, 1.3)).toEqual([false, false]);
  });
});
