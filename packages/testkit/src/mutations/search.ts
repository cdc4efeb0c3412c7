import { fileURLToPath } from "node:url";
import { askWorker } from "../seeds/ask-worker.js";
import { invariantOf } from "./invariant-of.js";
import type { Mutant } from "./mutant.js";
import { nextSeed } from "./needs.js";
import { SoundSeeds } from "./sound-seeds.js";

/** How the search for one mutant ended. */
export interface Finding {
  readonly mutant: Mutant;
  /** `broken`: the code could not even be loaded, or every worker died. */
  readonly outcome: "caught" | "missed" | "broken";
  /** Seeds that were run, the one that showed it included. Those that lack what the mutant needs are not run. */
  readonly seeds: number;
  /** The seed that showed it. */
  readonly seed: number | null;
  /** The first violations of the seed that showed it. */
  readonly problems: readonly string[];
  /** Seeds on which the simulator itself failed or did not end; they do not count as caught. */
  readonly failedSeeds: number;
  readonly note: string;
  readonly elapsedMs: number;
}

/** Bounds of a search. */
export interface SearchOptions {
  readonly maxSeeds: number;
  readonly maxMsPerMutant: number;
  /** A seed that takes longer is given up; the next one runs in a new process. */
  readonly maxMsPerSeed: number;
  readonly workers: number;
  readonly onFinding?: (finding: Finding) => void;
}

const WORKER = fileURLToPath(new URL("../../dist/mutations/worker-main.js", import.meta.url));
/** So many processes may die or hang for one mutant before it counts as broken. */
const MAX_DEATHS = 5;

/** What a search found. */
export interface SearchResult {
  /** In the order of the mutants. */
  readonly findings: readonly Finding[];
  /** Seeds on which a mutant showed something that the code as it is shows as well: they count for no mutant. */
  readonly unsoundSeeds: readonly number[];
}

/** Runs seeds with each mutant in place until one shows a violation that the code as it is does not show there, or the bounds are reached. */
export async function search(mutants: readonly Mutant[], options: SearchOptions): Promise<SearchResult> {
  const findings: Finding[] = [];
  const sound = new SoundSeeds(WORKER, options.maxMsPerSeed);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < mutants.length; at = next++) {
      const finding = await searchOne(mutants[at] as Mutant, options, sound);
      findings[at] = finding;
      options.onFinding?.(finding);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.workers, mutants.length) }, worker));
  return { findings, unsoundSeeds: await sound.unsound() };
}

async function searchOne(mutant: Mutant, options: SearchOptions, sound: SoundSeeds): Promise<Finding> {
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  let failedSeeds = 0;
  let note = "";
  /** The last seed that a process was asked for. */
  let at = 0;
  let ran = 0;
  let problems: readonly string[] = [];
  const finding = (outcome: Finding["outcome"]): Finding => ({
    mutant,
    outcome,
    seeds: ran,
    seed: outcome === "caught" ? at : null,
    problems: outcome === "caught" ? problems : [],
    failedSeeds,
    note,
    elapsedMs: elapsedMs(),
  });
  for (let deaths = 0; deaths < MAX_DEATHS; ) {
    const run = await askWorker<readonly string[]>({
      script: WORKER,
      argument: mutant.edits,
      next: () => {
        const seed = ran < options.maxSeeds ? nextSeed(at, mutant.needs ?? []) : null;
        if (seed === null) return null;
        at = seed;
        ran++;
        return seed;
      },
      onAnswer: ({ outcome, crash }) => {
        const violated = (outcome ?? []).filter((problem) => invariantOf(problem) !== "other");
        if (violated.length > 0) {
          problems = violated.slice(0, 3);
          return "enough";
        }
        const failure = crash ?? outcome?.[0] ?? null;
        if (failure !== null) {
          failedSeeds++;
          note ||= failure;
        }
        return "more";
      },
      maxMs: options.maxMsPerMutant - elapsedMs(),
      maxMsPerSeed: options.maxMsPerSeed,
    });
    if (run.end === "enough") {
      if (await sound.isSound(run.seed)) return finding("caught");
      continue; // with the seeds behind it
    }
    if (run.end !== "died") {
      if (run.end === "timeUp") note ||= "the time was up";
      return finding("missed");
    }
    deaths++;
    note = run.note;
    failedSeeds++; // the search goes on behind the seed that ended the process
    if (ran >= options.maxSeeds) break;
  }
  return finding("broken");
}
