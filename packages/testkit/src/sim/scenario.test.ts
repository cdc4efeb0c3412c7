import { describe, expect, it } from "vitest";
import { runScenario, type ScenarioOptions } from "./scenario.js";

const SEEDS = Number(process.env.SOJOURN_SIM_SEEDS ?? 8);
const FIRST = Number(process.env.SOJOURN_SIM_FIRST ?? 1);

const MIXES: Record<string, Omit<ScenarioOptions, "seed">> = {
  "moves only": { move: 0.3 },
  "lossy links": { move: 0.3, faults: { loss: 0.1, duplication: 0.1, reordering: 0.2, jitterMs: 5 } },
  "damaged frames": { move: 0.3, faults: { corruption: 0.05, jitterMs: 3 } },
  "sockets and connections break": { move: 0.2, cutSocket: 0.2, resetLink: 0.1, faults: { jitterMs: 3 } },
  "the directory is slow, down or forgets to answer": { move: 0.2, directoryFaults: 0.05 },
  partitions: { move: 0.2, partition: 0.02, cutSocket: 0.02 },
};

describe.each(Object.entries(MIXES))("seeded scenarios: %s", (_name, mix) => {
  it.each(Array.from({ length: SEEDS }, (_, i) => FIRST + i))("seed %i", async (seed) => {
    const report = await runScenario({ seed, ...mix });
    expect(report.problems, `seed ${seed}`).toEqual([]);
    expect(report.said).toBeGreaterThan(100);
  });
});
