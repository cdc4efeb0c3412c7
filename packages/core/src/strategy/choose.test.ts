import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseStrategy } from "./choose.js";
import { estimateStrategy } from "./estimate.js";
import { FIGURES, resolveFigures } from "./figures.js";
import { bestStrategy } from "./flips.js";
import { obstaclesOf } from "./score.js";
import { STRATEGIES, type Strategy } from "./strategy.js";
import { anyWorkload, workload } from "./workload.fixture.test.js";
import type { Workload } from "./workload.js";

const BAND = 0.15;
const measured = ["stateBytes", "deltaBytes", "turnsPerSec", "movesPerSec"] as const;

/** The workload with each measured number somewhere within the band around where it was, seen from both sides. */
const wobble = (of: Workload) =>
  fc.tuple(...measured.map(() => fc.double({ min: -1, max: 1, noNaN: true }))).map((shifts) => {
    const changed: Record<string, number> = {};
    measured.forEach((name, i) => {
      changed[name] = of[name] * (1 + BAND) ** (shifts[i] ?? 0);
    });
    return { ...of, ...changed } as Workload;
  });

const wobbles = anyWorkload.chain((of) => fc.tuple(fc.constant(of), fc.array(wobble(of), { minLength: 2, maxLength: 8 })));
const previous = fc.option(fc.constantFrom(...STRATEGIES));

describe("a choice", () => {
  test("of a new session is the best", () => {
    expect(chooseStrategy(null, workload())).toMatchObject({ strategy: "replica", changed: true });
    expect(chooseStrategy("replica", workload())).toMatchObject({ strategy: "replica", changed: false });
  });

  test("is kept while another is better by little, and given up when it is better by enough", () => {
    const at = (stateBytes: number) => workload({ stateBytes, movesPerSec: 50, durability: "eventual", sessions: 1_000 });
    const leaves = [15_000, 30_000, 60_000, 120_000, 250_000].map((bytes) => chooseStrategy("replica", at(bytes)).strategy);
    expect(bestStrategy(at(15_000), FIGURES)).toBe("hybrid");
    expect(leaves[0]).toBe("replica");
    expect(leaves.at(-1)).toBe("hybrid");
    const { reason } = chooseStrategy("replica", at(15_000));
    expect(reason).toContain("hybrid would be better, but not by enough to change");
  });

  test("leaves at once what cannot be had", () => {
    expect(chooseStrategy("snapshot", workload())).toMatchObject({
      strategy: "replica",
      changed: true,
      reason: expect.stringContaining("snapshot cannot be had any more"),
    });
    expect(chooseStrategy("replica", workload({ memoryBytes: 1e9 }))).toMatchObject({ strategy: null, changed: true });
  });

  test("is among what there is", () => {
    const of = workload({ stateBytes: 50_000, movesPerSec: 50, durability: "eventual" });
    expect(chooseStrategy(null, of).strategy).toBe("hybrid");
    expect(chooseStrategy(null, of, { among: ["replica"] }).strategy).toBe("replica");
    expect(chooseStrategy("hybrid", of, { among: ["replica"] }).strategy).toBe("replica");
  });

  test("follows one's own figures", () => {
    expect(chooseStrategy(null, workload(), { figures: resolveFigures({ "network.usdPerGb": 0.02 }) }).strategy).toBe("hybrid");
  });

  test("can always be had, and says why", () => {
    fc.assert(
      fc.property(anyWorkload, previous, (of, before) => {
        const { strategy, changed, reason } = chooseStrategy(before, of);
        expect(reason).not.toBe("");
        expect(changed).toBe(strategy !== before);
        if (strategy === null) expect(bestStrategy(of, FIGURES)).toBeNull();
        else expect(obstaclesOf(estimateStrategy(strategy, of, FIGURES), of)).toEqual([]);
        expect(chooseStrategy(before, { ...of })).toEqual({ strategy, changed, reason });
      }),
      { numRuns: 300 },
    );
  });

  test("is settled at once for a workload that stays as it is", () => {
    fc.assert(
      fc.property(anyWorkload, previous, (of, before) => {
        const { strategy } = chooseStrategy(before, of);
        if (strategy !== null) expect(chooseStrategy(strategy, of).changed).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("does not flap while the numbers move within the band", () => {
    const changes = { seen: 0 };
    fc.assert(
      fc.property(wobbles, previous, ([of, moments], before) => {
        // The first look may change it. From there all numbers stay within the band of what was seen then.
        let strategy: Strategy | null = chooseStrategy(before, of, { band: BAND }).strategy;
        if (strategy === null) return;
        if (strategy !== before) changes.seen++;
        const first = strategy;
        for (const moment of moments) {
          if (first === before) break; // It was not chosen here; where it would be left is where it is settled.
          strategy = chooseStrategy(strategy, moment, { band: BAND }).strategy;
          expect(strategy).toBe(first);
        }
      }),
      { numRuns: 600 },
    );
    expect(changes.seen).toBeGreaterThan(60);
  });
});
