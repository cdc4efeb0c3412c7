import { runMutations } from "../../mutations/command.js";
import { casesTable } from "../swarm/cases/table.js";
import { commitOf } from "./commit.js";
import { failureLines } from "./describe-run.js";
import { checkDeterminism } from "./determinism.js";
import { type Failure, hunt } from "./hunt.js";
import { type HuntOptions, parseSimOptions, SIM_USAGE } from "./options.js";
import { Progress } from "./progress.js";
import { replay } from "./replay.js";
import { describeReport, isGood } from "./report.js";
import { shrinkCommand } from "./shrink.js";

/** Where a command writes, and how it is told to stop. */
export interface CommandIo {
  readonly write: (text: string) => void;
  /** For people who wait; not part of the output. */
  readonly note: (text: string) => void;
  readonly stop: () => boolean;
}

const MAX_FULL = 5;

/**
 * Runs `npm run sim`. Returns the exit code.
 * @throws SojournError `E_CONFIG_INVALID` for a wrong option
 */
export async function runSim(args: readonly string[], io: CommandIo): Promise<number> {
  if (args.includes("--mutations")) return runMutations(args, io.write);
  const task = parseSimOptions(args);
  switch (task.do) {
    case "help":
      io.write(SIM_USAGE);
      return 0;
    case "cases":
      io.write(`${casesTable()}\n`);
      return 0;
    case "hunt":
      return runHunt(task.hunt, task.json, io);
    case "determinism":
      return runDeterminism(task.first, task.seeds, task.json, io);
    case "replay":
      return (await replay(task.of, task.session, task.json, io.write)) ? 0 : 1;
    case "shrink":
      return (await shrinkCommand(task.of, { ...task, ...io })) ? 0 : 1;
  }
}

async function runHunt(options: HuntOptions, json: boolean, { write, note, stop }: CommandIo): Promise<number> {
  const commit = commitOf();
  const progress = new Progress(options, note);
  let failures = 0;
  const onFailure = (failure: Failure) => {
    failures++;
    progress.clear();
    if (failures <= MAX_FULL) write(`${failureLines(failure, commit, options.failover).join("\n")}\n\n`);
    else write(`seed ${failure.seed}: ${(failure.problems[0] ?? "").slice(0, 300)}\n`);
  };
  const report = await hunt(options, { onFailure, onSeed: (totals) => progress.show(totals) }, stop);
  progress.clear();
  write(`${describeReport(report).join("\n")}\n`);
  if (json) write(`${JSON.stringify(report)}\n`);
  return isGood(report) ? 0 : 1;
}

async function runDeterminism(first: number, seeds: number, json: boolean, { write }: CommandIo): Promise<number> {
  const report = await checkDeterminism(first, seeds);
  const { differing } = report;
  if (differing.length === 0) write(`${seeds} seeds ran the same in two processes, one upwards and one downwards\n`);
  else write(`${differing.length} of ${seeds} seeds ran differently in another process: ${differing.slice(0, 20).join(" ")}\n`);
  if (json) write(`${JSON.stringify(report)}\n`);
  return differing.length === 0 ? 0 : 1;
}
