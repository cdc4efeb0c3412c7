import { readFileSync } from "node:fs";
import { SojournError } from "@sojourn/core";
import { drawPlan } from "../swarm/draw-plan.js";
import type { SeedPlan } from "../swarm/plan.js";
import { runPlan } from "../swarm/run-seed.js";
import { commitOf } from "./commit.js";
import { planLines, replayCommand, timelineLines } from "./describe-run.js";
import type { RunSource } from "./options.js";

/**
 * The plan of a seed, or of a file.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function planOf(of: RunSource): SeedPlan {
  if ("seed" in of) return drawPlan(of.seed, of);
  try {
    return JSON.parse(readFileSync(of.file, "utf8")) as SeedPlan;
  } catch (cause) {
    throw new SojournError("E_CONFIG_INVALID", `--plan ${of.file} is not a plan: ${String(cause)}`, {}, cause);
  }
}

/** Runs one plan here and tells all of it. Returns whether every promise was kept. */
export async function replay(of: RunSource, session: string | null, json: boolean, write: (text: string) => void): Promise<boolean> {
  const plan = planOf(of);
  const say = (lines: readonly string[]) => write(lines.map((line) => `${line}\n`).join(""));
  say([
    `seed       ${plan.seed} at commit ${commitOf()}; ${"seed" in of ? replayCommand(of.seed, of.failover) : `npm run sim -- --plan ${of.file}`}`,
  ]);
  say(planLines(plan));
  const report = await runPlan(plan, { timeline: true });
  say(["", "what happened, in seconds:", ...timelineLines(report.timeline, session), ""]);
  const { problems, traceHash, virtualMs, handovers, failovers, messages } = report;
  say([
    `${(virtualMs / 1_000).toFixed(1)} s, ${messages} messages, ${handovers} hand-overs, ${failovers} fail-overs, trace ${traceHash}`,
    ...(problems.length === 0 ? ["every promise was kept"] : problems.map((problem) => `PROBLEM ${problem}`)),
  ]);
  if (json) {
    const reached = Object.fromEntries(report.reached);
    say([JSON.stringify({ command: "sim", replay: plan.seed, problems, traceHash, virtualMs, handovers, failovers, messages, reached })]);
  }
  return problems.length === 0;
}
