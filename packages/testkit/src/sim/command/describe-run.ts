import type { Failover } from "@sojourn/core";
import type { SeedPlan } from "../swarm/plan.js";
import type { TimelineEntry } from "../swarm/trace.js";
import type { Failure } from "./hunt.js";

/** Lines of a timeline for people; with a session only what names it, or no session. */
export function timelineLines(timeline: readonly TimelineEntry[], session: string | null = null): string[] {
  const concerns = (text: string) => session === null || !/\bswarm\/s\d/.test(text) || namesSession(text, session);
  return timeline
    .filter(({ text }) => concerns(text))
    .map(({ atMs, text }) => `${(atMs / 1_000).toFixed(3).padStart(9)}  ${text.length > 400 ? `${text.slice(0, 400)}…` : text}`);
}

function namesSession(text: string, session: string): boolean {
  const at = text.indexOf(session);
  return at >= 0 && !/\d/.test(text[at + session.length] ?? "");
}

/** The command that runs one seed again. */
export function replayCommand(seed: number, failover?: Failover): string {
  return `npm run sim -- --replay ${seed}${failover === undefined ? "" : ` --failover ${failover}`}`;
}

/** A seed that went wrong, for people. */
export function failureLines({ seed, problems, timeline }: Failure, commit: string, failover?: Failover): string[] {
  return [
    `seed ${seed} at commit ${commit}; to see all of it: ${replayCommand(seed, failover)}`,
    ...problems.map((problem) => `  ${problem}`),
    ...(timeline.length > 0 ? ["  the last that happened, in seconds:"] : []),
    ...timelineLines(timeline).map((line) => `  ${line}`),
  ];
}

/** What a plan consists of, for people. */
export function planLines(plan: SeedPlan): string[] {
  const events = new Map<string, number>();
  for (const event of plan.events) events.set(event.do, (events.get(event.do) ?? 0) + 1);
  const { disk = {}, ...directory } = plan.directory;
  const numbers = (of: object) =>
    Object.entries(of)
      .filter(([, value]) => value !== 0)
      .map(([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(4)) : value}`)
      .join(", ");
  return [
    `nodes      ${plan.nodes}${plan.newer.length > 0 ? `, of which run newer code: ${plan.newer.join()}` : ""}; ${(plan.activeMs / 1_000).toFixed(1)} s of faults and work`,
    `sessions   ${plan.sessions.map(({ clients, talkMs }, i) => `s${i}: ${clients} clients, each says something every ${Math.round(talkMs)} ms`).join("; ")}`,
    `faults     ${plan.faults.join(", ") || "none"}`,
    `work       ${plan.workloads.join(", ")}`,
    `network    ${numbers(plan.network)}`,
    `directory  ${numbers({ ...directory, ...disk })}`,
    `clocks     ${plan.rates.map((rate) => rate.toFixed(4)).join(", ") || "exact"}`,
    `limits     ${numbers(plan.limits)}`,
    `events     ${[...events].map(([name, times]) => `${name} ${times}`).join(", ") || "none"}`,
  ];
}
