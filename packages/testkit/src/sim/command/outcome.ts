import type { SeedReport } from "../swarm/run-seed.js";
import type { TimelineEntry } from "../swarm/trace.js";

/** What a worker tells of one seed. Plain data. */
export interface SeedOutcome {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Processor time that the run took. */
  readonly cpuMs: number;
  readonly nodes: number;
  readonly handovers: number;
  readonly failovers: number;
  readonly messages: number;
  readonly reached: readonly (readonly [string, number])[];
  /** The end of what happened, when something is wrong. */
  readonly timeline: readonly TimelineEntry[];
}

/** What is told of a run. */
export function outcomeOf(report: SeedReport, cpuMs: number, timeline: readonly TimelineEntry[]): SeedOutcome {
  const { seed, problems, traceHash, virtualMs, nodes, handovers, failovers, messages, reached } = report;
  return { seed, problems, traceHash, virtualMs, cpuMs, nodes, handovers, failovers, messages, reached: [...reached], timeline };
}
