import { INTERLEAVINGS } from "../swarm/cases/catalogue.js";
import { FAULTS } from "../swarm/plan.js";
import type { SeedOutcome } from "./outcome.js";
import type { SimReport } from "./report.js";

const MAX_LISTED = 100;
const MASK = (1n << 64n) - 1n;

/** Sums up what came of seeds, in whatever order they ended. */
export class Totals {
  #seeds = 0;
  #lastSeed: number | null = null;
  readonly #failing: number[] = [];
  #virtualMs = 0;
  #threeNodesMs = 0;
  #threeNodesCpuMs = 0;
  #messages = 0;
  #handovers = 0;
  #failovers = 0;
  #trace = 0n;
  readonly #reached = new Map<string, number>();

  /** A seed ended. */
  add(outcome: SeedOutcome): void {
    this.#ended(outcome.seed);
    if (outcome.problems.length > 0) this.#failing.push(outcome.seed);
    this.#virtualMs += outcome.virtualMs;
    if (outcome.nodes === 3) {
      this.#threeNodesMs += outcome.virtualMs;
      this.#threeNodesCpuMs += outcome.cpuMs;
    }
    this.#messages += outcome.messages;
    this.#handovers += outcome.handovers;
    this.#failovers += outcome.failovers;
    // Each seed's part depends on its number, and the sum on no order.
    this.#trace = (this.#trace + BigInt(`0x${outcome.traceHash}`) * BigInt(outcome.seed * 2 + 1)) & MASK;
    for (const [name, times] of outcome.reached) this.#reached.set(name, (this.#reached.get(name) ?? 0) + times);
  }

  /** A seed did not end, or ended its process. */
  addBroken(seed: number): void {
    this.#ended(seed);
    this.#failing.push(seed);
  }

  #ended(seed: number): void {
    this.#seeds++;
    this.#lastSeed = Math.max(this.#lastSeed ?? seed, seed);
  }

  get seeds(): number {
    return this.#seeds;
  }
  get violations(): number {
    return this.#failing.length;
  }
  get virtualHours(): number {
    return this.#virtualMs / 3_600_000;
  }

  /** The sum so far. */
  report(about: { readonly commit: string; readonly firstSeed: number; readonly elapsedMs: number; readonly jobs: number }): SimReport {
    const failing = [...this.#failing].sort((a, b) => a - b);
    const cases = INTERLEAVINGS.map(({ id }) => [id, this.#reached.get(`case ${id}`) ?? 0] as const);
    const faults = FAULTS.map((fault) => [fault, this.#reached.get(`fault ${fault}`) ?? 0] as const);
    return {
      command: "sim",
      ...about,
      seeds: this.#seeds,
      lastSeed: this.#lastSeed,
      violations: failing.length,
      firstFailingSeed: failing[0] ?? null,
      failingSeeds: failing.slice(0, MAX_LISTED),
      virtualHours: this.virtualHours,
      timesRealTime: this.#threeNodesMs / Math.max(1, this.#threeNodesCpuMs),
      timesRealTimeInAll: this.#virtualMs / Math.max(1, about.elapsedMs),
      messages: this.#messages,
      handovers: this.#handovers,
      failovers: this.#failovers,
      faults: Object.fromEntries(faults),
      interleavings: Object.fromEntries(cases),
      unreached: [
        ...faults.filter(([, times]) => times === 0).map(([fault]) => `fault ${fault}`),
        ...INTERLEAVINGS.filter(({ id, notYet }) => notYet === undefined && !this.#reached.has(`case ${id}`)).map(({ id }) => `case ${id}`),
      ],
      notApplicableYet: Object.fromEntries(
        INTERLEAVINGS.flatMap(({ id, notYet }) => (notYet === undefined ? [] : [[`case ${id}`, notYet]])),
      ),
      traceHash: this.#trace.toString(16).padStart(16, "0"),
    };
  }
}
