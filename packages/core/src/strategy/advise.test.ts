import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { advise } from "./advise.js";
import { FIGURES, resolveFigures } from "./figures.js";
import { bestStrategy, findFlips } from "./flips.js";
import { rankStrategies } from "./rank.js";
import { STRATEGIES } from "./strategy.js";
import { anyWorkload, workload } from "./workload.fixture.test.js";

const GB = 1e9;

describe("the ranking", () => {
  test.each([
    ["small, strong, moves often", workload({ memoryBytes: 64 * GB }), "replica"],
    ["small, eventual, moves often", workload({ durability: "eventual" }), "replica"],
    ["small, moves sometimes, memory is scarce", workload({ movesPerSec: 50, memoryBytes: 30 * GB, sessions: 1e6 }), "hybrid"],
    ["in between", workload({ stateBytes: 50_000, movesPerSec: 50, durability: "eventual", sessions: 10_000 }), "hybrid"],
    [
      "large, cold, moves rarely",
      workload({ stateBytes: 5e6, turnsPerSec: 0.01, movesPerSec: 1, durability: "eventual", sessions: 1_000 }),
      "snapshot",
    ],
    [
      "large, strong, on a slow store",
      workload({ stateBytes: 5e6, turnsPerSec: 5, movesPerSec: 1, sessions: 100, store: "s3" }),
      "replica",
    ],
  ])("%s: %s", (_, of, best) => {
    expect(advise(of).best).toBe(best);
  });

  test("says what keeps a strategy from being had, and puts it last", () => {
    const { ranking } = advise(workload({ memoryBytes: 30 * GB }));
    expect(ranking.map(({ strategy, feasible }) => [strategy, feasible])).toEqual([
      ["hybrid", true],
      ["replica", false],
      ["snapshot", false],
    ]);
    expect(ranking[2]?.reason).toContain("strong is refused");
    expect(ranking[1]?.reason).toContain("needs 50.2 GB of memory, there are 30.0");
  });

  test("gives nothing when nothing can be had", () => {
    expect(advise(workload({ memoryBytes: GB }))).toMatchObject({ best: null, bestRunnable: null });
  });

  test("tells the best that this version runs from the best", () => {
    const advice = advise(workload({ stateBytes: 50_000, movesPerSec: 50, durability: "eventual", sessions: 100 }));
    expect(advice).toMatchObject({ best: "hybrid", bestRunnable: "hybrid", runnable: STRATEGIES });
  });

  test("names the lines of the checklist and what separates one from the other", () => {
    const [first, second] = advise(workload({ memoryBytes: 64 * GB })).ranking;
    expect(first?.reason).toMatch(/^3 of 4 lines .*under 10 KB, over 100 moves a second, strong.*against hybrid it gains most by/);
    expect(second?.reason).toMatch(/^2 of 4 lines .*memory is tight.*pays most for/);
  });

  test("the line on memory speaks where replicas would fill most of it", () => {
    const about = (memoryBytes: number | null) => advise(workload({ memoryBytes })).checklist.map((line) => line.about);
    expect(about(64 * GB)).toContain("memory");
    expect(about(200 * GB)).not.toContain("memory");
    expect(about(null)).not.toContain("memory");
  });

  test("one's own prices change the answer", () => {
    const dear = resolveFigures({ "network.usdPerGb": 0.02 });
    expect([bestStrategy(workload(), FIGURES), bestStrategy(workload(), dear)]).toEqual(["replica", "hybrid"]);
  });

  test("the score is the sum of the charges, and what can be had stands in its order", () => {
    fc.assert(
      fc.property(anyWorkload, (of) => {
        const ranking = rankStrategies(of, FIGURES);
        for (const { score, charges } of ranking) expect(score).toBeCloseTo(charges.reduce((sum, { usd }) => sum + usd, 0));
        const feasible = ranking.filter((entry) => entry.feasible);
        expect(ranking.slice(0, feasible.length)).toEqual(feasible);
        expect(feasible.map(({ score }) => score)).toEqual(feasible.map(({ score }) => score).sort((a, b) => a - b));
        for (const { strategy, estimate } of feasible) {
          expect(strategy === "snapshot" && of.durability === "strong").toBe(false);
          expect(estimate.memoryBytes.value).toBeLessThanOrEqual(of.memoryBytes ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

describe("what would change the answer", () => {
  test("names the nearest value of each input, the smallest change first", () => {
    const flips = findFlips(workload({ memoryBytes: 64 * GB }), FIGURES);
    expect(flips[0]).toEqual({ input: "sessions", from: 1_000_000, to: 1_300_000, becomes: "hybrid" });
    expect(flips).toContainEqual({ input: "memoryBytes", from: 64 * GB, to: 50 * GB, becomes: "hybrid" });
    expect(flips.map(({ input }) => input)).toContain("network.usdPerGb");
    const states = findFlips(workload({ stateBytes: 50_000, movesPerSec: 50, durability: "eventual", sessions: 1_000 }), FIGURES);
    expect(states).toContainEqual({ input: "durability", from: "eventual", to: "strong", becomes: "replica" });
    expect(states).toContainEqual({ input: "movesPerSec", from: 50, to: 100, becomes: "replica" });
  });

  test("is true: the answer is another there", () => {
    fc.assert(
      fc.property(anyWorkload, (of) => {
        const now = bestStrategy(of, FIGURES);
        for (const { input, from, to, becomes } of findFlips(of, FIGURES)) {
          expect(becomes).not.toBe(now);
          if (typeof to !== "number" || typeof from !== "number") continue;
          const at = (value: number) =>
            input in FIGURES ? bestStrategy(of, resolveFigures({ [input]: value })) : bestStrategy({ ...of, [input]: value }, FIGURES);
          expect(at(to)).toBe(becomes);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("the way to a change of the answer", () => {
  // The walk there goes in steps of the square root of two, so a narrower band may be stepped over: shown for workloads without one.
  test.each([workload(), workload({ movesPerSec: 50, stateBytes: 50_000, durability: "eventual", sessions: 1_000 })])(
    "leaves it the same",
    (of) => {
      const now = bestStrategy(of, FIGURES);
      const flips = findFlips(of, FIGURES);
      expect(flips.length).toBeGreaterThan(2);
      for (const { input, from, to } of flips) {
        if (typeof to !== "number" || typeof from !== "number" || from === 0) continue;
        const near = to > from ? Math.max(from, to * 0.78) : Math.min(from, to * 1.25);
        const there =
          input in FIGURES ? bestStrategy(of, resolveFigures({ [input]: near })) : bestStrategy({ ...of, [input]: near }, FIGURES);
        expect(there, `${input} ${near}`).toBe(now);
      }
    },
  );
});

describe("the best strategy", () => {
  const by = fc.double({ min: 1, max: 1_000, noNaN: true });

  test("never turns to replica because sessions get larger, where a byte is cheaper in the store than in memory", () => {
    const stored = anyWorkload.filter(({ store }) => store !== "redis");
    fc.assert(
      fc.property(stored, by, (of, factor) => {
        const before = bestStrategy(of, FIGURES);
        const after = bestStrategy({ ...of, stateBytes: of.stateBytes * factor }, FIGURES);
        if (before !== null && before !== "replica") expect(after).not.toBe("replica");
      }),
      { numRuns: 300 },
    );
  });

  test("never turns to snapshot because sessions move more, nor away from replica where they move often already", () => {
    fc.assert(
      fc.property(anyWorkload, by, (of, factor) => {
        const before = bestStrategy(of, FIGURES);
        const after = bestStrategy({ ...of, movesPerSec: of.movesPerSec * factor }, FIGURES);
        if (before !== "snapshot") expect(after).not.toBe("snapshot");
        if (before === "replica" && of.movesPerSec >= 100) expect(after).toBe("replica");
      }),
      { numRuns: 300 },
    );
  });

  test("never turns to what holds more memory because there is less of it", () => {
    fc.assert(
      fc.property(anyWorkload, by, (of, factor) => {
        const memoryBytes = of.memoryBytes ?? 1e15;
        const before = bestStrategy({ ...of, memoryBytes }, FIGURES);
        const after = bestStrategy({ ...of, memoryBytes: memoryBytes / factor }, FIGURES);
        if (before !== "replica") expect(after).not.toBe("replica");
      }),
      { numRuns: 300 },
    );
  });

  test("is the same for the same workload", () => {
    fc.assert(
      fc.property(anyWorkload, (of) => {
        expect(advise({ ...of })).toEqual(advise(of));
      }),
      { numRuns: 10 },
    );
  });
});
