import { INTERLEAVINGS } from "../swarm/cases/catalogue.js";

/** So many seeds reach everything that can be reached: from then on, something unreached is a failure. */
export const COVERAGE_SEEDS = 1_000;

/** What a run of the simulator found. Plain data; its names are fixed. */
export interface SimReport {
  readonly command: "sim";
  readonly commit: string;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly lastSeed: number | null;
  /** Seeds in which something was found wrong. */
  readonly violations: number;
  readonly firstFailingSeed: number | null;
  /** The lowest of them, at most 100. */
  readonly failingSeeds: readonly number[];
  readonly virtualHours: number;
  /** Virtual time of clusters of three nodes over the processor time that they took, so one core counts once. */
  readonly timesRealTime: number;
  /** Virtual time of all seeds over the time that passed, on as many cores as there were workers. */
  readonly timesRealTimeInAll: number;
  readonly elapsedMs: number;
  readonly jobs: number;
  readonly messages: number;
  readonly handovers: number;
  readonly failovers: number;
  readonly faults: Readonly<Record<string, number>>;
  /** How often each case of the catalogue came about. */
  readonly interleavings: Readonly<Record<string, number>>;
  /** Faults and cases that apply and were not reached. */
  readonly unreached: readonly string[];
  /** Cases that cannot come about yet, with the reason; they count neither as reached nor as unreached. */
  readonly notApplicableYet: Readonly<Record<string, string>>;
  /** A sum over the traces of all seeds, in whatever order they ran. */
  readonly traceHash: string;
}

/** Whether a run was good. */
export function isGood(report: SimReport): boolean {
  return report.violations === 0 && (report.unreached.length === 0 || report.seeds < COVERAGE_SEEDS);
}

/** A report for people. */
export function describeReport(report: SimReport): string[] {
  const { seeds, firstSeed, lastSeed, violations, firstFailingSeed, virtualHours, elapsedMs, jobs, unreached } = report;
  const faults = Object.entries(report.faults).sort(([, a], [, b]) => b - a);
  return [
    `seeds        ${seeds} (${firstSeed} to ${lastSeed ?? "-"}) in ${(elapsedMs / 1_000).toFixed(1)} s by ${jobs} workers, commit ${report.commit}`,
    `simulated    ${virtualHours.toFixed(1)} h; a cluster of three nodes ${Math.round(report.timesRealTime)} times as fast as real time on one core; ${Math.round(report.timesRealTimeInAll)} in all`,
    `work         ${report.messages} messages, ${report.handovers} hand-overs, ${report.failovers} fail-overs`,
    `faults       ${faults.map(([kind, count]) => `${kind} ${count}`).join(", ") || "none"}`,
    `cases        ${INTERLEAVINGS.map(({ id }) => `${id}: ${report.interleavings[id] ?? 0}`).join(", ")}`,
    ...Object.entries(report.notApplicableYet).map(([what, why]) => `not yet      ${what}: ${why}`),
    `unreached    ${unreached.join(", ") || "nothing"}${seeds < COVERAGE_SEEDS && unreached.length > 0 ? ` (counts from ${COVERAGE_SEEDS} seeds on)` : ""}`,
    `trace        ${report.traceHash}`,
    `violations   ${violations === 0 ? "none" : `${violations} seeds, the first is ${firstFailingSeed}: ${report.failingSeeds.slice(0, 20).join(" ")}`}`,
  ];
}
