import type { DurationSummary } from "@sojourn/testkit/books";

/** The report of a run. The first keys are what other programs read; more may come. */
export interface RoamingReport {
  readonly command: "start";
  readonly moves: number;
  /** Numbered messages both ways. */
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Freeze at the old node → taken at the new one, of the moves that followed a user; measured at the old node. */
  readonly blackoutMs: Omit<DurationSummary, "count">;
  readonly movesPerSec: number;
  /** Sent → answered, of all reports of all clients. */
  readonly replyMs: Omit<DurationSummary, "count">;
  readonly replies: number;
  /** Sessions that a node moved away because it was told to leave; part of `moves`. */
  readonly evacuated: number;
  /** Moves that were not made, by the code of the reason; the session ran on where it was. */
  readonly movesFailed: Readonly<Record<string, number>>;
  /** Moves that clients were told of. */
  readonly handoversSeen: number;
  readonly reconnects: number;
  /** Calls that ended in an error, by code. */
  readonly failedCalls: Readonly<Record<string, number>>;
  readonly clients: number;
  /** Sessions whose books were compared with their client's at the end. */
  readonly audited: number;
  readonly nodes: number;
  readonly seed: number;
  readonly source: "generated" | "traces";
  readonly runMs: number;
  readonly incidents: number;
  /** What is wrong; nothing if the run is good. */
  readonly faults: readonly string[];
}

const FAULTS_SHOWN = 20;

/** Everything that makes a run a bad one. */
export function faultsOf(report: Omit<RoamingReport, "faults">, found: readonly string[]): readonly string[] {
  const faults: string[] = [];
  if (report.lost > 0) faults.push(`${report.lost} messages were lost`);
  if (report.doubled > 0) faults.push(`${report.doubled} messages were doubled`);
  if (report.reordered > 0) faults.push(`${report.reordered} messages were reordered`);
  const failed = Object.entries(report.failedCalls);
  if (failed.length > 0) faults.push(`calls failed: ${failed.map(([code, count]) => `${count} × ${code}`).join(", ")}`);
  if (report.audited < report.clients) faults.push(`${report.clients - report.audited} of ${report.clients} sessions could not be audited`);
  const more = found.length - FAULTS_SHOWN;
  return [...faults, ...found.slice(0, FAULTS_SHOWN), ...(more > 0 ? [`… and ${more} more`] : [])];
}

/** The report for people. */
export function describeReport(report: RoamingReport): string[] {
  const { moves, movesPerSec, evacuated, movesFailed, blackoutMs, replyMs, messages, lost, doubled, reordered, audited, clients } = report;
  const refusals = Object.entries(movesFailed).map(([code, count]) => `${count} × ${code}`);
  return [
    `${count(moves)} moves in ${(report.runMs / 1_000).toFixed(1)} s (${movesPerSec}/s)${evacuated > 0 ? `, ${count(evacuated)} of them out of nodes that were told to leave` : ""}`,
    ...(refusals.length > 0 ? [`moves not made: ${refusals.join(", ")}`] : []),
    `blackout p50 ${blackoutMs.p50} ms, p99 ${blackoutMs.p99} ms, max ${blackoutMs.max} ms; replies p50 ${replyMs.p50} ms, p99 ${replyMs.p99} ms, max ${replyMs.max} ms`,
    `${count(messages)} messages: ${lost} lost, ${doubled} doubled, ${reordered} reordered; ${audited} of ${clients} sessions audited`,
    ...report.faults.map((fault) => `FAULT ${fault}`),
    report.faults.length === 0 ? "Nothing was lost, doubled or reordered." : "The run failed.",
  ];
}

/** A number with thousands apart. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
