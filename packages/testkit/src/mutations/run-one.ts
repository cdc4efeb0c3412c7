import { runScenario, type ScenarioOptions } from "../sim/scenario.js";

const MIXES: readonly Omit<ScenarioOptions, "seed">[] = [
  { move: 0.3 },
  { move: 0.3, faults: { loss: 0.1, duplication: 0.1, reordering: 0.2, jitterMs: 5 } },
  { move: 0.3, faults: { corruption: 0.05, jitterMs: 3 } },
  { move: 0.2, cutSocket: 0.2, resetLink: 0.1, faults: { jitterMs: 3 } },
  { move: 0.2, directoryFaults: 0.05 },
  { move: 0.2, partition: 0.02, cutSocket: 0.02 },
  { move: 0.05, crash: 0.02, faults: { jitterMs: 3 } },
  { move: 0.1, crash: 0.02, partition: 0.01, directoryFaults: 0.03, faults: { loss: 0.02, duplication: 0.05, jitterMs: 5 } },
];

/** Runs one seed of the simulator; tells the violations that it found. */
export async function runOne(seed: number): Promise<readonly string[]> {
  const report = await runScenario({ seed, ...MIXES[seed % MIXES.length] });
  return report.problems;
}
