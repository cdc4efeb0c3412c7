import { runSeed } from "../sim/swarm/run-seed.js";

/** Runs one seed of the simulator; tells the violations that it found. */
export async function runOne(seed: number): Promise<readonly string[]> {
  const { problems } = await runSeed(seed, { stopAtFirst: true });
  return problems;
}
