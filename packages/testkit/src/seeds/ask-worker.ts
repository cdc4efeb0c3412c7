import { fork } from "node:child_process";
import type { SeedAnswer, SeedRequest } from "./serve-seeds.js";

/** What one worker process is to do. */
export interface Errand<Outcome> {
  /** A script that calls `serveSeeds`. */
  readonly script: string;
  /** Given to the script as JSON in its first argument. */
  readonly argument?: unknown;
  /** The next seed to run; null when there are no more. */
  readonly next: () => number | null;
  /** Says whether to go on. */
  readonly onAnswer: (answer: SeedAnswer<Outcome>) => "more" | "enough";
  /** Time for all of it. */
  readonly maxMs: number;
  /** A seed that takes longer counts as one that never ends, and the process is stopped. */
  readonly maxMsPerSeed: number;
}

/** How an errand ended. `seed` is the one in hand. */
export type ErrandEnd =
  | { readonly end: "done" }
  | { readonly end: "enough"; readonly seed: number }
  | { readonly end: "timeUp"; readonly seed: number | null }
  | { readonly end: "died"; readonly seed: number | null; readonly note: string };

const STDERR_CHARACTERS = 4_000;

/** Has a process of its own run seeds one after another. It is gone when this resolves. */
export function askWorker<Outcome>(errand: Errand<Outcome>): Promise<ErrandEnd> {
  const { script, argument = null, next, onAnswer, maxMs, maxMsPerSeed } = errand;
  return new Promise((resolve) => {
    const child = fork(script, [JSON.stringify(argument)], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    let seed: number | null = null;
    let stderr = "";
    let over = false;
    let patience: NodeJS.Timeout | undefined;
    const end = (how: ErrandEnd) => {
      if (over) return;
      over = true;
      clearTimeout(deadline);
      clearTimeout(patience);
      child.kill("SIGKILL");
      resolve(how);
    };
    const deadline = Number.isFinite(maxMs) ? setTimeout(() => end({ end: "timeUp", seed }), Math.max(0, maxMs)) : undefined;
    const ask = () => {
      seed = next();
      clearTimeout(patience);
      if (seed === null) {
        end({ end: "done" });
        return;
      }
      patience = setTimeout(() => end({ end: "died", seed, note: `seed ${seed} did not end within ${maxMsPerSeed} ms` }), maxMsPerSeed);
      child.send(seed satisfies SeedRequest, () => undefined);
    };
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < STDERR_CHARACTERS) stderr += text;
    });
    child.on("message", (answer: SeedAnswer<Outcome>) => {
      if (over) return;
      if (onAnswer(answer) === "more") ask();
      else end({ end: "enough", seed: answer.seed });
    });
    child.on("error", (error) => end({ end: "died", seed, note: error.message }));
    let exited: number | null | undefined;
    // Messages may still be read after the exit; none can after the disconnect.
    const gone = () => {
      if (exited === undefined || child.connected) return;
      end({ end: "died", seed, note: `a process ended with ${exited}: ${stderr.trim().slice(0, 2_000)}` });
    };
    child.on("disconnect", gone);
    child.on("exit", (code) => {
      exited = code;
      gone();
    });
    ask();
  });
}
