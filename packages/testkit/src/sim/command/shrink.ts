import { writeFileSync } from "node:fs";
import { runPlan } from "../swarm/run-seed.js";
import { shrink } from "../swarm/shrink.js";
import { planLines, timelineLines } from "./describe-run.js";
import type { RunSource } from "./options.js";
import { planOf } from "./replay.js";

/** Where the smaller plan goes. */
export interface ShrinkOutput {
  readonly out: string | null;
  readonly session: string | null;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
}

const MAX_RUNS = 1_000;

/** Shrinks a plan and tells what is left and what happens in it. Returns whether there was nothing wrong to begin with. */
export async function shrinkCommand(of: RunSource, { out, session, json, write, note }: ShrinkOutput): Promise<boolean> {
  const whole = planOf(of);
  const say = (lines: readonly string[]) => write(lines.map((line) => `${line}\n`).join(""));
  const shrunk = await shrink(whole, {
    run: async (plan) => (await runPlan(plan)).problems,
    maxRuns: MAX_RUNS,
    onSmaller: (what, { events }) => note(`not needed: ${what}; ${events.length} events are left\n`),
  });
  if (shrunk === null) {
    say(["nothing goes wrong in this plan"]);
    return true;
  }
  const { plan, kind, problems, runs, smallest } = shrunk;
  if (out !== null) writeFileSync(out, `${JSON.stringify(plan, null, 1)}\n`);
  const { timeline } = await runPlan(plan, { timeline: true });
  say([
    ...planLines(plan),
    ...plan.events.map((event) => `  ${JSON.stringify(event)}`),
    "",
    "what happened, in seconds:",
    ...timelineLines(timeline, session),
    "",
    `${kind}: ${whole.events.length} events before, ${plan.events.length} now, after ${runs} runs${smallest ? "" : ", and there may be more to leave out"}`,
    ...(out === null ? [] : [`to run it again: npm run sim -- --plan ${out}`]),
    ...problems.map((problem) => `PROBLEM ${problem}`),
  ]);
  if (json) say([JSON.stringify({ command: "sim", shrunk: kind, runs, smallest, problems, plan })]);
  return false;
}
