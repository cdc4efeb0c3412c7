import { type ChecklistLine, checklist } from "./checklist.js";
import { FIGURES, type Figures } from "./figures.js";
import { type Flip, findFlips } from "./flips.js";
import { type Ranked, rankStrategies } from "./rank.js";
import { checklistInput } from "./score.js";
import { RUNNABLE_STRATEGIES, type Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** What the advisor has to say of a workload. */
export interface Advice {
  readonly workload: Workload;
  /** Null: nothing can be had. */
  readonly best: Strategy | null;
  /** The best of those that this version runs, or null. */
  readonly bestRunnable: Strategy | null;
  readonly runnable: readonly Strategy[];
  readonly checklist: readonly ChecklistLine[];
  readonly ranking: readonly Ranked[];
  readonly flips: readonly Flip[];
}

/** Ranks the strategies for a workload and says what would change the answer. */
export function advise(workload: Workload, figures: Figures = FIGURES): Advice {
  const ranking = rankStrategies(workload, figures);
  const feasible = ranking.filter((entry) => entry.feasible);
  return {
    workload,
    best: feasible[0]?.strategy ?? null,
    bestRunnable: feasible.find(({ runnable }) => runnable)?.strategy ?? null,
    runnable: RUNNABLE_STRATEGIES,
    checklist: checklist(checklistInput(workload, figures)),
    ranking,
    flips: findFlips(workload, figures),
  };
}
