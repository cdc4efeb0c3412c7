import type { SeedPlan } from "./plan.js";
import { smallerPlans, withoutEvents } from "./smaller-plans.js";

/** How a plan is shrunk. */
export interface ShrinkOptions {
  /** Runs a plan; the problems it shows. */
  readonly run: (plan: SeedPlan) => Promise<readonly string[]>;
  readonly maxRuns: number;
  /** Told of each thing that turned out not to be needed. */
  readonly onSmaller?: (what: string, plan: SeedPlan) => void;
}

/** A plan that goes wrong in the same way as the one it came from. */
export interface Shrunk {
  readonly plan: SeedPlan;
  /** What goes wrong, and how it shows in this plan. */
  readonly kind: string;
  readonly problems: readonly string[];
  readonly runs: number;
  /** Whether nothing more can be left out, or else the runs were used up. */
  readonly smallest: boolean;
}

/** What a problem is about: the invariant that it names. */
export function kindOf(problem: string): string {
  return problem.includes(":") ? problem.slice(0, problem.indexOf(":")) : problem.slice(0, 40);
}

/**
 * Leaves out of a plan whatever its first problem does not need, one thing at a time and events by halves, until nothing more can be
 * left out or the runs are used up. Null when the plan shows no problem. The same plan gives the same result.
 */
export async function shrink(plan: SeedPlan, options: ShrinkOptions): Promise<Shrunk | null> {
  const { run, maxRuns, onSmaller = () => undefined } = options;
  let problems = await run(plan);
  let runs = 1;
  const first = problems[0];
  if (first === undefined) return null;
  const kind = kindOf(first);
  let best = plan;
  const attempt = async (what: string, smaller: SeedPlan): Promise<boolean> => {
    runs++;
    const shown = await run(smaller);
    if (!shown.some((problem) => kindOf(problem) === kind)) return false;
    best = smaller;
    problems = shown;
    onSmaller(what, smaller);
    return true;
  };
  const left = () => runs < maxRuns;

  /** Whole stretches of events first, then ever shorter ones. */
  const dropEvents = async (): Promise<boolean> => {
    let any = false;
    for (let size = Math.ceil(best.events.length / 2); size >= 1 && left(); size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < best.events.length && left(); ) {
        const dropped = await attempt(`events ${from} to ${from + size - 1}`, withoutEvents(best, from, size));
        if (dropped) any = true;
        else from += size;
      }
    }
    return any;
  };

  const dropOthers = async (): Promise<boolean> => {
    let any = false;
    let again = true;
    while (again && left()) {
      again = false;
      for (const { what, plan: smaller } of smallerPlans(best)) {
        if (!left()) break;
        if (!(await attempt(what, smaller))) continue;
        any = true;
        again = true; // what may be left out depends on what is left
        break;
      }
    }
    return any;
  };

  let progress = true;
  while (progress && left()) {
    progress = await dropEvents();
    if (left() && (await dropOthers())) progress = true;
  }
  return { plan: best, kind, problems, runs, smallest: left() };
}
