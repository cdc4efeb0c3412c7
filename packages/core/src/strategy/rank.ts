import { type ChecklistLine, checklist } from "./checklist.js";
import type { Figures } from "./figures.js";
import { type Charge, checklistInput, type Judged, judge } from "./score.js";
import { RUNNABLE_STRATEGIES, STRATEGIES, type Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** A strategy in its place. */
export interface Ranked extends Judged {
  readonly strategy: Strategy;
  readonly feasible: boolean;
  /** Whether this version of Sojourn runs it. */
  readonly runnable: boolean;
  /** Why it stands where it stands, in words. */
  readonly reason: string;
}

/** All strategies, the best first; those that cannot be had come last. */
export function rankStrategies(workload: Workload, figures: Figures): readonly Ranked[] {
  const asked = checklistInput(workload, figures);
  const lines = checklist(asked);
  const judged = STRATEGIES.map((strategy) => ({ strategy, ...judge(strategy, workload, figures, asked) }));
  const feasible = (entry: Judged) => entry.obstacles.length === 0;
  judged.sort((a, b) => Number(feasible(b)) - Number(feasible(a)) || a.score - b.score);
  const best = judged.find(feasible);
  return judged.map((entry) => ({
    ...entry,
    feasible: feasible(entry),
    runnable: RUNNABLE_STRATEGIES.includes(entry.strategy),
    reason: reasonOf(entry, best, judged[1], lines),
  }));
}

type Entry = Judged & { readonly strategy: Strategy };

function reasonOf(entry: Entry, best: Entry | undefined, second: Entry | undefined, lines: readonly ChecklistLine[]): string {
  if (entry.obstacles.length > 0) return entry.obstacles.map(({ says }) => says).join("; ");
  const votes = votesFor(entry.strategy, lines);
  if (entry !== best) return `${votes}; ${comparison(entry, best)}`;
  const other = second !== undefined && second.obstacles.length === 0 ? `; ${comparison(entry, second)}` : "";
  return votes + other;
}

/** The lines of the checklist that speak for it. */
function votesFor(strategy: Strategy, lines: readonly ChecklistLine[]): string {
  const speaking = lines.filter(({ votes }) => votes.includes(strategy));
  const said = speaking.map(({ says }) => says).join(", ");
  return `${speaking.length} of ${lines.length} lines of the checklist speak for it${said === "" ? "" : ` (${said})`}`;
}

/** What separates one from another most, both ways. */
function comparison(entry: Entry, other: Entry | undefined): string {
  if (other === undefined) return "";
  const differences = entry.charges.map(({ what, usd }, i) => ({ what, usd: usd - (other.charges[i]?.usd ?? 0) }));
  const worse = strongest(differences.filter(({ usd }) => usd > 0));
  const better = strongest(differences.filter(({ usd }) => usd < 0).map(({ what, usd }) => ({ what, usd: -usd })));
  const against = `against ${other.strategy}`;
  if (worse === null && better === null) return `nothing counts ${against}`;
  const gains = better === null ? "" : `gains most by ${better.what} (${usdText(better.usd)})`;
  const pays = worse === null ? "" : `pays most for ${worse.what} (${usdText(worse.usd)})`;
  return `${against} it ${[gains, pays].filter((text) => text !== "").join(" and ")} a session and month`;
}

function strongest(charges: readonly Charge[]): Charge | null {
  let found: Charge | null = null;
  for (const charge of charges) if (found === null || charge.usd > found.usd) found = charge;
  return found;
}

function usdText(usd: number): string {
  if (usd >= 0.01) return `${usd.toFixed(2)} USD`;
  return `${Number(usd.toPrecision(2))} USD`;
}
