import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutant.js";
import type { SeedOutcome, WorkerTask } from "./worker-messages.js";

/** How the search for one mutant ended. */
export interface Finding {
  readonly mutant: Mutant;
  /** `broken`: the code could not even be loaded, or every worker died. */
  readonly outcome: "caught" | "missed" | "broken";
  /** Seeds that were run, the one that showed it included. */
  readonly seeds: number;
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

/** What came of one process. */
type Run =
  | { readonly end: "caught"; readonly last: number; readonly problems: readonly string[] }
  /** `early`: the time was up before the seeds were. */
  | { readonly end: "ended"; readonly last: number; readonly early: boolean }
  | { readonly end: "died"; readonly last: number; readonly note: string };

/** Runs seeds with each mutant in place until one shows a violation or the bounds are reached. Findings stand in the order of the mutants. */
export async function search(mutants: readonly Mutant[], options: SearchOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < mutants.length; at = next++) {
      const finding = await searchOne(mutants[at] as Mutant, options);
      findings[at] = finding;
      options.onFinding?.(finding);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.workers, mutants.length) }, worker));
  return findings;
}

async function searchOne(mutant: Mutant, options: SearchOptions): Promise<Finding> {
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  let failedSeeds = 0;
  let note = "";
  let last = 0;
  const finding = (outcome: Finding["outcome"], problems: readonly string[]): Finding => ({
    mutant,
    outcome,
    seeds: last,
    problems,
    failedSeeds,
    note,
    elapsedMs: elapsedMs(),
  });
  for (let deaths = 0; deaths < MAX_DEATHS; deaths++) {
    const task: WorkerTask = { edits: mutant.edits, firstSeed: last + 1, lastSeed: options.maxSeeds };
    const run = await runWorker(task, options.maxMsPerMutant - elapsedMs(), options.maxMsPerSeed, (crash) => {
      failedSeeds++;
      note ||= crash;
    });
    last = Math.max(last, run.last);
    if (run.end === "caught") return finding("caught", run.problems);
    if (run.end === "ended") {
      if (run.early) note ||= "the time was up";
      return finding("missed", []);
    }
    note = run.note;
    failedSeeds++;
    last++; // the seed that ended the process is passed over
    if (last >= options.maxSeeds) break;
  }
  return finding("broken", []);
}

/** Runs the code as it is on some seeds; tells those that show a violation. What a mutant shows there proves nothing. */
export async function control(lastSeed: number, maxMs: number, maxMsPerSeed: number): Promise<number | null> {
  const run = await runWorker({ edits: [], firstSeed: 1, lastSeed }, maxMs, maxMsPerSeed, () => undefined);
  return run.end === "caught" ? run.last : null;
}

function runWorker(task: WorkerTask, maxMs: number, maxMsPerSeed: number, onCrash: (crash: string) => void): Promise<Run> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(WORKER, [JSON.stringify(task)], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    let last = task.firstSeed - 1;
    let stderr = "";
    let over = false;
    const end = (run: Run) => {
      if (over) return;
      over = true;
      clearTimeout(deadline);
      clearTimeout(patience);
      child.kill("SIGKILL");
      resolve(run);
    };
    const impatient = () => end({ end: "died", last, note: `seed ${last + 1} did not end within ${maxMsPerSeed} ms` });
    const deadline = setTimeout(() => end({ end: "ended", last, early: true }), Math.max(0, maxMs));
    let patience = setTimeout(impatient, maxMsPerSeed);
    child.stderr?.on("data", (data: Buffer) => {
      if (stderr.length < 4_000) stderr += data.toString();
    });
    child.on("message", (outcome: SeedOutcome) => {
      last = outcome.seed;
      clearTimeout(patience);
      patience = setTimeout(impatient, maxMsPerSeed);
      if (outcome.problems.length > 0) end({ end: "caught", last, problems: outcome.problems.slice(0, 3) });
      else if (outcome.crash !== null) onCrash(outcome.crash);
    });
    child.on("error", (error) => end({ end: "died", last, note: error.message }));
    let exited: number | null | undefined;
    // Messages may still be read after the exit; none can after the disconnect.
    const gone = () => {
      if (exited === undefined || child.connected) return;
      if (last >= task.lastSeed) end({ end: "ended", last, early: false });
      else end({ end: "died", last, note: `a process ended with ${exited}: ${stderr.trim().slice(0, 2_000)}` });
    };
    child.on("disconnect", gone);
    child.on("exit", (code) => {
      exited = code;
      gone();
    });
  });
}
