import { type DurationSummary, Durations } from "../../books/durations.js";
import { LEDGER_KINDS, type LedgerKind } from "./ledgers.js";
import type { Recovery } from "./witness.js";

/** What was lost of the sessions that are kept in one way. */
export interface KindLosses {
  /** Times that a session came back. */
  readonly back: number;
  /** Acknowledged calls that a session did not have. */
  readonly lost: number;
  /** Longest time before a kill for which a lost call had been acknowledged, and the longest that a session told as its bound. */
  readonly staleMaxMs: number;
  readonly boundMs: number;
}

/** What a run found. Plain data. */
export interface KillsReport {
  readonly command: "kills";
  readonly seed: number;
  readonly rounds: number;
  readonly nodes: number;
  readonly sessions: number;
  readonly leaseMs: number;
  readonly elapsedMs: number;
  readonly messages: number;
  /** Of the `strong` sessions: acknowledged and not there, and handled twice or out of order. */
  readonly lost: number;
  readonly doubledOrReordered: number;
  readonly kinds: Readonly<Record<LedgerKind, KindLosses>>;
  /** Kill of every node to a session's next answer. */
  readonly backMs: Omit<DurationSummary, "count">;
  readonly problems: readonly string[];
}

/** Adds up what became of sessions, kill by kill. */
export class Recoveries {
  readonly #back = new Durations();
  readonly #kinds = new Map<LedgerKind, { back: number; lost: number; staleMaxMs: number; boundMs: number }>();

  add(kind: LedgerKind, { backMs, lost, staleMs, boundMs }: Recovery): void {
    const sum = this.of(kind);
    this.#back.record(backMs);
    this.#kinds.set(kind, {
      back: sum.back + 1,
      lost: sum.lost + lost,
      staleMaxMs: Math.max(sum.staleMaxMs, Math.round(staleMs)),
      boundMs: Math.max(sum.boundMs, boundMs),
    });
  }

  of(kind: LedgerKind): KindLosses {
    return this.#kinds.get(kind) ?? { back: 0, lost: 0, staleMaxMs: 0, boundMs: 0 };
  }

  get kinds(): KillsReport["kinds"] {
    return Object.fromEntries(LEDGER_KINDS.map((kind) => [kind, this.of(kind)])) as KillsReport["kinds"];
  }

  get backMs(): KillsReport["backMs"] {
    const { p50, p99, max } = this.#back.summary();
    return { p50, p99, max };
  }
}

/** A report for people. */
export function describeKills(report: KillsReport): string[] {
  const { kinds, backMs } = report;
  const ms = (value: number) => `${Math.round(value)} ms`;
  return [
    `seed ${report.seed}, ${report.rounds} kills of all ${report.nodes} nodes, ${report.sessions} sessions, lease ${ms(report.leaseMs)}, ${(report.elapsedMs / 1_000).toFixed(0)} s`,
    `messages    ${report.messages}; of strong sessions lost ${report.lost}, doubled or reordered ${report.doubledOrReordered}`,
    ...LEDGER_KINDS.map((kind) => {
      const { back, lost, staleMaxMs, boundMs } = kinds[kind];
      return `${kind.padEnd(11)} back ${back} times, ${lost} acknowledged calls not there, stale by ${ms(staleMaxMs)} at most (bound ${ms(boundMs)})`;
    }),
    `back after  p50 ${ms(backMs.p50)}, p99 ${ms(backMs.p99)}, max ${ms(backMs.max)}`,
    ...report.problems.slice(0, 20).map((problem) => `PROBLEM     ${problem}`),
    ...(report.problems.length > 20 ? [`… and ${report.problems.length - 20} more`] : []),
  ];
}
