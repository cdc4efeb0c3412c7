import { fileURLToPath } from "node:url";
import { askWorker } from "../../seeds/ask-worker.js";
import type { DrawOptions } from "../swarm/draw-options.js";
import { commitOf } from "./commit.js";
import type { HuntOptions } from "./options.js";
import type { SeedOutcome } from "./outcome.js";
import type { SimReport } from "./report.js";
import { Totals } from "./totals.js";

/** A seed in which something is wrong. */
export type Failure = Pick<SeedOutcome, "seed" | "problems" | "timeline">;

/** Who is told of a hunt while it goes on. */
export interface HuntListener {
  readonly onFailure?: (failure: Failure) => void;
  readonly onSeed?: (totals: Totals) => void;
}

/** The script that runs seeds in a process of its own. */
export const WORKER = fileURLToPath(new URL("../../../dist/sim/command/worker-main.js", import.meta.url));
const MAX_MS_PER_SEED = 120_000;

/** Runs seeds by as many processes as there are jobs, until they or the time are used up, or `stop` says so. */
export async function hunt(options: HuntOptions, listener: HuntListener = {}, stop: () => boolean = () => false): Promise<SimReport> {
  const { first, seeds, forMs, jobs, failover } = options;
  const startedMs = performance.now();
  const totals = new Totals();
  let asked = 0;
  const next = () => {
    if (asked >= seeds || performance.now() - startedMs >= forMs || stop()) return null;
    return first + asked++;
  };
  const failed = (failure: Failure) => {
    listener.onFailure?.(failure);
    listener.onSeed?.(totals);
  };
  const worker = async () => {
    for (;;) {
      const run = await askWorker<SeedOutcome>({
        script: WORKER,
        argument: { ...(failover !== undefined && { failover }) } satisfies DrawOptions,
        next,
        onAnswer: ({ seed, outcome, crash }) => {
          if (outcome === null) {
            totals.addBroken(seed);
            failed({ seed, problems: [`the simulator ended with ${crash}`], timeline: [] });
            return "more";
          }
          // An error that nobody awaited would end a real process.
          const problems = crash === null ? outcome.problems : [...outcome.problems, `an error was not handled: ${crash}`];
          totals.add({ ...outcome, problems });
          if (problems.length > 0) failed({ seed, problems, timeline: outcome.timeline });
          else listener.onSeed?.(totals);
          return "more";
        },
        maxMs: Number.POSITIVE_INFINITY,
        maxMsPerSeed: MAX_MS_PER_SEED,
      });
      if (run.end !== "died") return;
      if (run.seed === null) throw new Error(run.note);
      totals.addBroken(run.seed);
      failed({ seed: run.seed, problems: [run.note], timeline: [] });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, worker));
  return totals.report({ commit: commitOf(), firstSeed: first, elapsedMs: performance.now() - startedMs, jobs });
}
