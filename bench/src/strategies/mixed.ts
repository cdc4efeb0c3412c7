import { round } from "../common/percentiles.js";
import type { Goal } from "./goals.js";
import { type MixedCost, runMixture } from "./mixed-run.js";
import { SAFE_KINDS, type SafeKindName } from "./sized-cluster.js";

/** What is compared of a mixture. */
export const COSTS = ["blackoutP50Us", "memoryBytes", "ioBytes"] as const;

/** One strategy against the best fixed one, cost by cost. */
export interface MixedScore {
  readonly ratios: Readonly<Record<(typeof COSTS)[number], number>>;
  readonly worstRatio: number;
  /** Mean of the ratios: each cost weighs the same, as a share of the least that a fixed strategy has. */
  readonly score: number;
}

/** Judges costs against the least of each that a fixed strategy has. */
export function scoreOf(cost: MixedCost, fixed: readonly MixedCost[]): MixedScore {
  const ratios = Object.fromEntries(COSTS.map((name) => [name, cost[name] / Math.min(...fixed.map((one) => one[name]))]));
  const values = Object.values(ratios);
  return {
    ratios: ratios as MixedScore["ratios"],
    worstRatio: Math.max(...values),
    score: values.reduce((sum, ratio) => sum + ratio, 0) / values.length,
  };
}

/** The mixture under `auto`, beside each fixed strategy. */
export interface MixedResult {
  readonly worstRatio: number;
  readonly score: number;
  readonly fixedScores: Readonly<Record<SafeKindName, number>>;
  readonly costs: Readonly<Record<SafeKindName | "auto", MixedCost & MixedScore>>;
}

const WORST_RATIO = 1.15;

/** Runs the mixture under each strategy, one after another, each on nodes of its own. */
export async function measureMixture(): Promise<MixedResult> {
  const costs = {} as Record<SafeKindName | "auto", MixedCost>;
  for (const strategy of [...SAFE_KINDS, "auto"] as const) costs[strategy] = await runMixture(strategy);
  const fixed = SAFE_KINDS.map((strategy) => costs[strategy]);
  const scored = Object.fromEntries(Object.entries(costs).map(([strategy, cost]) => [strategy, { ...cost, ...scoreOf(cost, fixed) }]));
  const of = scored as MixedResult["costs"];
  const fixedScores = Object.fromEntries(SAFE_KINDS.map((strategy) => [strategy, of[strategy].score])) as MixedResult["fixedScores"];
  return { worstRatio: of.auto.worstRatio, score: of.auto.score, fixedScores, costs: of };
}

/** What was to be shown of `auto`. */
export function mixedGoals({ worstRatio, score, fixedScores }: MixedResult): Goal[] {
  const best = Math.min(...Object.values(fixedScores));
  return [
    {
      goal: "auto, mixture: its worst cost over the best fixed strategy's",
      value: round(worstRatio),
      limit: `at most ${WORST_RATIO}`,
      met: worstRatio <= WORST_RATIO,
    },
    { goal: "auto, mixture: weighted sum", value: round(score), limit: `less than ${round(best)}`, met: score < best },
  ];
}

/** For people. */
export function mixedLines({ costs }: MixedResult): string[] {
  return Object.entries(costs).map(([strategy, cost]) => {
    const { blackoutP50Us, memoryBytes, ioBytes, ratios, score, moves, movesFailed, messages, lost, kept } = cost;
    const spread = Object.entries(kept).map(
      ([sort, counts]) =>
        `${sort} ${Object.entries(counts)
          .map(([by, count]) => `${count} ${by}`)
          .join(" + ")}`,
    );
    return (
      `mixture ${strategy.padEnd(8)} blackout p50 ${round(blackoutP50Us / 1_000)} ms (${round(ratios.blackoutP50Us)} × the best fixed)   memory ${round(memoryBytes / 1e6)} MB ` +
      `(${round(ratios.memoryBytes)} ×)   I/O ${round(ioBytes / 1e6)} MB (${round(ratios.ioBytes)} ×)   sum ${round(score)}   ${moves} moves, failed ${movesFailed}   ` +
      `${messages} messages, lost ${lost}${strategy === "auto" ? `   kept: ${spread.join(", ")}` : ""}`
    );
  });
}
