import { type ChecklistInput, votesAgainst } from "./checklist.js";
import { estimateStrategy, GB, MONTH_SEC, type StrategyEstimate, SUSPECTED_MS } from "./estimate.js";
import type { Figures } from "./figures.js";
import type { Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** Why a strategy cannot be had for a workload. */
export interface Obstacle {
  readonly code: "strong-refused" | "memory-exceeded";
  readonly says: string;
}

/** What one thing counts against a strategy, in USD a month for one session. */
export interface Charge {
  readonly what: "memory" | "store" | "traffic" | "downtime" | "waiting" | "lost turns" | "machine loss" | "checklist";
  readonly usd: number;
}

/** A strategy as it is judged. */
export interface Judged {
  readonly estimate: StrategyEstimate;
  readonly obstacles: readonly Obstacle[];
  /** Without what every strategy costs alike. */
  readonly charges: readonly Charge[];
  /** Their sum. The least is best. */
  readonly score: number;
}

/** What keeps a strategy from being had. */
export function obstaclesOf(estimate: StrategyEstimate, { durability, memoryBytes }: Workload): Obstacle[] {
  const obstacles: Obstacle[] = [];
  if (estimate.strategy === "snapshot" && durability === "strong") {
    obstacles.push({ code: "strong-refused", says: "strong is refused: nothing is written before a turn's output leaves" });
  }
  if (memoryBytes !== null && estimate.memoryBytes.value > memoryBytes) {
    const [needs, there] = [estimate.memoryBytes.value, memoryBytes].map((bytes) => (bytes / GB).toPrecision(3));
    obstacles.push({ code: "memory-exceeded", says: `needs ${needs} GB of memory, there are ${there}` });
  }
  return obstacles;
}

/** The checklist's questions, answered by a workload. */
export function checklistInput(workload: Workload, figures: Figures): ChecklistInput {
  const { stateBytes, movesPerSec, durability, memoryBytes } = workload;
  return {
    stateBytes,
    movesPerSec,
    strong: durability === "strong",
    memoryShare: memoryBytes === null ? 0 : estimateStrategy("replica", workload, figures).memoryBytes.value / memoryBytes,
    tightShare: figures["checklist.tightMemoryShare"].value,
  };
}

/** Judges a strategy for a workload, of which `asked` are the checklist's answers. */
export function judge(strategy: Strategy, workload: Workload, figures: Figures, asked: ChecklistInput): Judged {
  const estimate = estimateStrategy(strategy, workload, figures);
  const votes = votesAgainst(strategy, asked, asked).max;
  const charges = [...costsOf(estimate, workload, figures), checklistCharge(votes, figures)];
  return { estimate, obstacles: obstaclesOf(estimate, workload), charges, score: sum(charges) };
}

/** The lowest and the highest score of a strategy while the workload is anywhere between two that differ in every number at once. */
export function scoreBetween(
  strategy: Strategy,
  low: Workload,
  high: Workload,
  figures: Figures,
): { readonly min: number; readonly max: number } {
  const votes = votesAgainst(strategy, checklistInput(low, figures), checklistInput(high, figures));
  // Every cost grows with every number of the workload.
  const of = (workload: Workload, against: number) =>
    sum([...costsOf(estimateStrategy(strategy, workload, figures), workload, figures), checklistCharge(against, figures)]);
  return { min: of(low, votes.min), max: of(high, votes.max) };
}

function costsOf(estimate: StrategyEstimate, workload: Workload, figures: Figures): Charge[] {
  const { sessions, movesPerSec, turnsPerSec, leaseTtlMs } = workload;
  const f = (name: keyof Figures) => figures[name].value;
  const losses = f("failure.nodeLossesPerMonth");
  const ownerBytes = f("session.heapPerByte") * workload.stateBytes + f("session.heapBytes");
  const leastBlackoutMs = Math.min(f("move.replicaMs"), f("move.hybridMs"), f("move.snapshotMs")) + f("network.rttMs") / 2;
  const movesPerMonth = (movesPerSec / sessions) * MONTH_SEC;
  const downSec =
    (losses * (estimate.failoverMs.value - Math.min(leaseTtlMs, SUSPECTED_MS)) +
      movesPerMonth * (estimate.blackoutMs.value - leastBlackoutMs)) /
    1_000;
  return [
    { what: "memory", usd: Math.max(0, estimate.memoryBytes.value / sessions - ownerBytes) * (f("ram.usdPerGbMonth") / GB) },
    { what: "store", usd: estimate.storeUsdPerMonth.value / sessions },
    { what: "traffic", usd: estimate.trafficUsdPerMonth.value / sessions },
    { what: "downtime", usd: downSec * f("harm.usdPerSecondDown") },
    {
      what: "waiting",
      usd: ((turnsPerSec * MONTH_SEC * estimate.outputWaitMs.value) / 1_000) * f("harm.usdPerSecondWaited"),
    },
    { what: "lost turns", usd: losses * estimate.lostTurns.value * f("harm.usdPerTurnLost") },
    {
      what: "machine loss",
      usd: estimate.survives === "machine" ? 0 : f("failure.machineLossesPerMonth") * f("harm.usdPerSessionLost"),
    },
  ];
}

function checklistCharge(votes: number, figures: Figures): Charge {
  return { what: "checklist", usd: votes * figures["checklist.usdPerVote"].value };
}

function sum(charges: readonly Charge[]): number {
  return charges.reduce((total, { usd }) => total + usd, 0);
}
