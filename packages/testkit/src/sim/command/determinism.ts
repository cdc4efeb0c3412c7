import { askWorker } from "../../seeds/ask-worker.js";
import { commitOf } from "./commit.js";
import { WORKER } from "./hunt.js";
import type { SeedOutcome } from "./outcome.js";

/** Whether seeds run the same in another process. Plain data. */
export interface DeterminismReport {
  readonly command: "sim";
  readonly determinism: true;
  readonly commit: string;
  readonly seeds: number;
  /** Seeds that ran differently, or not to their end. */
  readonly differing: readonly number[];
}

const MAX_MS_PER_SEED = 120_000;

/**
 * Runs the same seeds in two processes, up in one and down in the other, so that neither time, nor chance, nor what ran before in the
 * same process can go unnoticed.
 */
export async function checkDeterminism(first: number, seeds: number): Promise<DeterminismReport> {
  const numbers = Array.from({ length: seeds }, (_, i) => first + i);
  const [up, down] = await Promise.all([hashesOf(numbers), hashesOf([...numbers].reverse())]);
  const differing = numbers.filter((seed) => up.get(seed) === undefined || up.get(seed) !== down.get(seed));
  return { command: "sim", determinism: true, commit: commitOf(), seeds, differing };
}

async function hashesOf(seeds: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const hashes = new Map<number, string>();
  let at = 0;
  await askWorker<SeedOutcome>({
    script: WORKER,
    next: () => seeds[at++] ?? null,
    onAnswer: ({ seed, outcome }) => {
      if (outcome !== null) hashes.set(seed, outcome.traceHash);
      return "more";
    },
    maxMs: Number.POSITIVE_INFINITY,
    maxMsPerSeed: MAX_MS_PER_SEED,
  });
  return hashes;
}
