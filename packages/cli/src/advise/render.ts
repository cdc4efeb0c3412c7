import { type Advice, type Estimate, FIGURES, type FigureName, type Figures, type Flip, type Ranked, type Workload } from "@sojourn/core";
import { table } from "../command-line/table.js";
import { bytesText, countText, rateText, significant, timeText, usdText } from "./amounts.js";

/** Advice as people read it. */
export function renderAdvice(advice: Advice, figures: Figures, title: string): string {
  return [
    title,
    describe(advice.workload),
    "",
    sideBySide(advice),
    LEGEND,
    "",
    ...verdict(advice),
    "",
    ...changes(advice.flips),
    "",
    ...assumptions(advice, figures),
  ].join("\n");
}

/** Every figure with where it comes from. */
export function renderFigures(figures: Figures): string {
  const rows = Object.entries(figures).map(([name, { value, basis, source }]) => [name, String(value), basis, source]);
  return table(["FIGURE", "VALUE", "BASIS", "SOURCE"], rows);
}

function describe(workload: Workload): string {
  const { stateBytes, deltaBytes, turnsPerSec, movesPerSec, durability, sessions, memoryBytes, standbys, store } = workload;
  return [
    `${countText(sessions)} session${sessions === 1 ? "" : "s"} of ${bytesText(stateBytes)}`,
    `${rateText(turnsPerSec)} turns each, ${bytesText(deltaBytes)} a turn`,
    `${rateText(movesPerSec)} moves in all`,
    durability,
    memoryBytes === null ? "no bound on memory" : `${bytesText(memoryBytes)} of memory`,
    `${standbys} standby${standbys === 1 ? "" : "s"} or ${store}`,
  ].join("; ");
}

const LEGEND = "~ rests on something that is assumed, ' on something that is published; what has no mark was measured or given.";

/** A row of the table: what it says of one strategy. */
type Row = readonly [string, (ranked: Ranked) => string];

const estimated = (name: string, of: (ranked: Ranked) => Estimate, text: (value: number) => string): Row => [
  name,
  (ranked) => marked(of(ranked), text),
];

const ROWS: readonly Row[] = [
  ["can be had", ({ feasible }) => (feasible ? "yes" : "no")],
  ["this version runs it", ({ runnable }) => (runnable ? "yes" : "not yet")],
  estimated("blackout of a move, p50", ({ estimate }) => estimate.blackoutMs, timeText),
  estimated("copied before that in", ({ estimate }) => estimate.copyMs, timeText),
  estimated("back after a node's loss in", ({ estimate }) => estimate.failoverMs, timeText),
  ["lost at a node's loss", ({ estimate }) => lossText(estimate.lostTurns, estimate.lostMs)],
  ["survives the loss of", ({ estimate }) => (estimate.survives === "machine" ? "a machine" : "a process, not of its disk")],
  estimated("a turn's output waits", ({ estimate }) => estimate.outputWaitMs, timeText),
  estimated("memory", ({ estimate }) => estimate.memoryBytes, bytesText),
  estimated("kept in the store", ({ estimate }) => estimate.storedBytes, bytesText),
  estimated(
    "written to the store",
    ({ estimate }) => estimate.storeBytesPerSec,
    (value) => `${bytesText(value)}/s`,
  ),
  estimated("requests to the store", ({ estimate }) => estimate.storeRequestsPerSec, rateText),
  estimated(
    "network",
    ({ estimate }) => estimate.networkBytesPerSec,
    (value) => `${bytesText(value)}/s`,
  ),
  estimated("money a month", ({ estimate }) => estimate.usdPerMonth, usdText),
  estimated("  for memory", ({ estimate }) => estimate.memoryUsdPerMonth, usdText),
  estimated("  for the store", ({ estimate }) => estimate.storeUsdPerMonth, usdText),
  estimated("  for traffic", ({ estimate }) => estimate.trafficUsdPerMonth, usdText),
  ["score (the least is best)", ({ score }) => significant(score)],
];

function sideBySide({ ranking }: Advice): string {
  const headings = ranking.map(({ strategy, feasible }, i) => (feasible ? `${i + 1} ${strategy}` : `- ${strategy}`));
  const rows = ROWS.map(([name, text]) => [name, ...ranking.map(text)]);
  return table(["", ...headings], rows);
}

const MARKS = { given: "", measured: "", published: "'", assumed: "~" } as const;

function marked({ value, basis }: Estimate, text: (value: number) => string): string {
  return value === 0 ? text(0) : MARKS[basis] + text(value);
}

function lossText(turns: Estimate, time: Estimate): string {
  if (time.value === 0) return "nothing";
  return `${marked(turns, significant)} turns (${timeText(time.value)})`;
}

function verdict({ best, bestRunnable, ranking, runnable, checklist }: Advice): string[] {
  const lines: string[] = [];
  if (best === null) lines.push("Nothing can be had: the demands contradict each other.");
  else if (best === bestRunnable) lines.push(`Take ${best}.`);
  else {
    const until = bestRunnable === null ? "none of which can be had" : `of which ${bestRunnable} is best`;
    lines.push(`${best} suits best. This version runs ${runnable.join(" and ")}, ${until}.`);
  }
  for (const { strategy, reason } of ranking) lines.push(`  ${strategy.padEnd(9)} ${reason}`);
  lines.push(`  checklist ${checklist.map(({ says, votes }) => `${says} → ${votes.join(" or ")}`).join("; ")}`);
  return lines;
}

function changes(flips: readonly Flip[]): string[] {
  if (flips.length === 0) return ["No single number within reach would change the answer."];
  return ["What would change the answer, the smallest change first:", ...flips.map((flip) => `  ${flipText(flip)}`)];
}

const INPUTS: Readonly<Record<Flip["input"], readonly [string, (value: number) => string]>> = {
  stateBytes: ["size", bytesText],
  deltaBytes: ["what a turn changes", bytesText],
  turnsPerSec: ["turns of a session", rateText],
  movesPerSec: ["moves in all", rateText],
  sessions: ["sessions", countText],
  memoryBytes: ["memory", bytesText],
  snapshotIntervalMs: ["interval of snapshots", timeText],
  durability: ["durability", String],
  "network.usdPerGb": ["price of traffic between nodes, a GB", usdText],
  "network.rttMs": ["round trip between nodes", timeText],
  "ram.usdPerGbMonth": ["price of memory, a GB and month", usdText],
  "failure.nodeLossesPerMonth": ["losses of a node a month", (value) => significant(value)],
};

function flipText({ input, from, to, becomes }: Flip): string {
  const [name, text] = INPUTS[input];
  const then = becomes === null ? "nothing can be had" : becomes;
  if (typeof from === "string" || typeof to === "string") return `${name} ${to} instead of ${from}: ${then}`;
  return `${name} ${text(to)} or ${to > from ? "more" : "less"} instead of ${text(from)}: ${then}`;
}

function assumptions({ ranking }: Advice, figures: Figures): string[] {
  const used = new Set<FigureName>();
  for (const { estimate } of ranking) {
    for (const part of Object.values(estimate)) if (typeof part === "object") for (const name of part.assumes) used.add(name);
  }
  for (const name of Object.keys(FIGURES) as FigureName[]) if (/^(?:harm|failure|checklist)\./.test(name)) used.add(name);
  const named = [...used].filter((name) => figures[name].basis === "assumed");
  if (named.length === 0) return ["Nothing is assumed."];
  return [
    "Assumed, not measured by this project; put your own into a file for --prices (`sojourn advise --figures` lists all):",
    ...named.map((name) => `  ${name} = ${figures[name].value}  (${figures[name].source})`),
  ];
}
