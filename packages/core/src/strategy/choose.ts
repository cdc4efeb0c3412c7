import { estimateStrategy } from "./estimate.js";
import { FIGURES, type Figures } from "./figures.js";
import { rankStrategies } from "./rank.js";
import { obstaclesOf, scoreBetween } from "./score.js";
import { STRATEGIES, type Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** How to choose. */
export interface ChoiceOptions {
  readonly figures?: Figures;
  /** Share by which every measured number may be off, or change, before that alone changes the strategy. */
  readonly band?: number;
  /** What there is to choose from. */
  readonly among?: readonly Strategy[];
}

/** What was chosen. */
export interface Choice {
  /** Null: nothing can be had; the workload's demands contradict each other. */
  readonly strategy: Strategy | null;
  readonly changed: boolean;
  readonly reason: string;
}

const DEFAULT_BAND = 0.15;

/**
 * Chooses a strategy, and keeps the one before unless another is better wherever the measured numbers may lie within the band around
 * what was measured. Numbers that stay within the band of where the last change was made therefore never change it again. What cannot be had is left at once.
 */
export function chooseStrategy(previous: Strategy | null, workload: Workload, options: ChoiceOptions = {}): Choice {
  const { figures = FIGURES, band = DEFAULT_BAND, among = STRATEGIES } = options;
  const [low, high] = [scaled(workload, 1 / (1 + band)), scaled(workload, 1 + band)];
  const lasts = (strategy: Strategy) => obstaclesOf(estimateStrategy(strategy, high, figures), high).length === 0;
  const ranked = rankStrategies(workload, figures).filter(({ strategy, feasible }) => feasible && among.includes(strategy));
  // One that still fits when everything grows a little, if there is one.
  const best = ranked.find(({ strategy }) => lasts(strategy)) ?? ranked[0];
  if (best === undefined) {
    return { strategy: null, changed: previous !== null, reason: "no strategy can be had: the demands contradict each other" };
  }
  const kept = ranked.find(({ strategy }) => strategy === previous);
  if (kept === undefined) {
    const why = previous === null ? "" : `${previous} cannot be had any more; `;
    return { strategy: best.strategy, changed: true, reason: why + best.reason };
  }
  if (best === kept) return { strategy: kept.strategy, changed: false, reason: kept.reason };
  const mine = scoreBetween(kept.strategy, low, high, figures);
  const theirs = scoreBetween(best.strategy, low, high, figures);
  if (lasts(best.strategy) && theirs.max < mine.min) return { strategy: best.strategy, changed: true, reason: best.reason };
  const reason = `${best.strategy} would be better, but not by enough to change: ${best.reason}`;
  return { strategy: kept.strategy, changed: false, reason };
}

function scaled(workload: Workload, by: number): Workload {
  const { stateBytes, deltaBytes, turnsPerSec, movesPerSec } = workload;
  return {
    ...workload,
    stateBytes: stateBytes * by,
    deltaBytes: deltaBytes * by,
    turnsPerSec: turnsPerSec * by,
    movesPerSec: movesPerSec * by,
  };
}
