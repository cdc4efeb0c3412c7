import type { MixedCost } from "./mixed-run.js";

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
