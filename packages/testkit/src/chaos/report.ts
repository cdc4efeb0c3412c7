import type { Failover } from "@sojourn/core";
import type { DurationSummary } from "../books/durations.js";
import type { CrowdResult } from "./crowd.js";
import type { FaultKind } from "./faults.js";
import type { MoveCounts } from "./mover.js";
import type { OverseerCounts } from "./overseer.js";

/** What a chaos run found. Plain data. */
export interface ChaosReport {
  readonly command: "chaos";
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  readonly standbys: number;
  readonly leaseMs: number;
  readonly failover: Failover;
  readonly elapsedMs: number;
  /** How often each kind of fault was injected; each had been mended before the next. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Kinds that cannot be had on this machine, with the reason. */
  readonly skipped: Readonly<Partial<Record<FaultKind, string>>>;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Sessions moved to another node as planned: asked for one by one, or by a node that was told to leave. */
  readonly handovers: number;
  readonly handoversTried: number;
  /** The session ran at its source again, or failed over. */
  readonly handoversReverted: number;
  readonly handoversRefused: number;
  /** Whoever was asked died; the session was whole afterwards all the same. */
  readonly handoversUntold: number;
  /** Hand-overs that had no end. */
  readonly unfinished: number;
  readonly failovers: number;
  readonly failoversTried: number;
  readonly sessionsLost: number;
  /** Pauses of at least 200 ms between two answers, as clients saw them. */
  readonly outageMs: Omit<DurationSummary, "count">;
  readonly outages: number;
  readonly audited: number;
  /** Everything that is wrong; empty when all is well. */
  readonly problems: readonly string[];
}

/** What a report is made of. */
export interface Findings
  extends Pick<ChaosReport, "seed" | "nodes" | "clients" | "standbys" | "leaseMs" | "failover" | "elapsedMs" | "faults" | "skipped"> {
  readonly crowd: CrowdResult;
  readonly outages: DurationSummary;
  readonly moves: MoveCounts;
  /** Moved by nodes that were told to leave. */
  readonly evacuated: number;
  readonly overseer: OverseerCounts;
  readonly sessionsLost: number;
  /** What was not whole at the end, and what went wrong on the way. */
  readonly troubles: readonly string[];
}

/** Sums up. */
export function makeReport(findings: Findings): ChaosReport {
  const { crowd, outages, moves, evacuated, overseer, sessionsLost, troubles, ...given } = findings;
  const { messages, lost, doubled, reordered, audited } = crowd;
  const { count, ...outageMs } = outages;
  const problems = folded([...troubles, ...crowd.faults]);
  if (lost + doubled + reordered > 0) problems.push(`${lost} messages were lost, ${doubled} doubled, ${reordered} reordered`);
  if (moves.open > 0) problems.push(`${moves.open} hand-overs have not ended`);
  if (sessionsLost > 0) problems.push(`${sessionsLost} sessions were lost`);
  return {
    command: "chaos",
    ...given,
    messages,
    lost,
    doubled,
    reordered,
    handovers: moves.moved + evacuated,
    handoversTried: moves.tried + evacuated,
    handoversReverted: moves.reverted,
    handoversRefused: moves.refused,
    handoversUntold: moves.untold,
    unfinished: moves.open,
    failovers: overseer.failovers - sessionsLost,
    failoversTried: overseer.failoversTried,
    sessionsLost,
    outageMs,
    outages: count,
    audited,
    problems,
  };
}

/** The same trouble many times is told once, with how often. */
function folded(all: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([one, count]) => (count === 1 ? one : `${one} (${count} times)`));
}

/** A report for people. */
export function describeReport(report: ChaosReport): string[] {
  const { outageMs } = report;
  const kinds = Object.entries(report.faults).map(([kind, count]) => `${kind} ${count}`);
  const ms = (value: number) => `${Math.round(value)} ms`;
  return [
    `seed ${report.seed}, ${(report.elapsedMs / 1_000).toFixed(0)} s, ${report.nodes} nodes, ${report.clients} clients, lease ${ms(report.leaseMs)}, fail-over by ${report.failover}`,
    `faults injected   ${kinds.join(", ") || "none"}`,
    ...Object.entries(report.skipped).map(([kind, why]) => `not possible here  ${kind}: ${why}`),
    `messages          ${report.messages}, lost ${report.lost}, doubled ${report.doubled}, reordered ${report.reordered}; ${report.audited} sessions audited`,
    `hand-overs        tried ${report.handoversTried}, done ${report.handovers}, reverted ${report.handoversReverted}, refused ${report.handoversRefused}, untold ${report.handoversUntold}, unfinished ${report.unfinished}`,
    `fail-overs        tried ${report.failoversTried}, done ${report.failovers}, sessions lost ${report.sessionsLost}`,
    `client outages    ${report.outages}: p50 ${ms(outageMs.p50)}, p99 ${ms(outageMs.p99)}, max ${ms(outageMs.max)}`,
    ...report.problems.slice(0, 20).map((problem) => `PROBLEM           ${problem}`),
    ...(report.problems.length > 20 ? [`… and ${report.problems.length - 20} more`] : []),
  ];
}
