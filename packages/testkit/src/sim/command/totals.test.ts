import { describe, expect, it } from "vitest";
import { INTERLEAVINGS } from "../swarm/cases/catalogue.js";
import { FAULTS } from "../swarm/plan.js";
import type { SeedOutcome } from "./outcome.js";
import { isGood } from "./report.js";
import { Totals } from "./totals.js";

const ABOUT = { commit: "x", firstSeed: 1, elapsedMs: 1_000, jobs: 2 };
const EVERYTHING = [...FAULTS.map((fault) => [`fault ${fault}`, 1] as const), ...INTERLEAVINGS.map(({ id }) => [`case ${id}`, 1] as const)];

const outcome = (seed: number, more: Partial<SeedOutcome> = {}): SeedOutcome => ({
  seed,
  problems: [],
  traceHash: `00000000000000${(seed + 16).toString(16)}`,
  virtualMs: 60_000,
  cpuMs: 50,
  nodes: 3,
  handovers: 2,
  failovers: 1,
  messages: 10,
  reached: EVERYTHING,
  timeline: [],
  ...more,
});

function sumOf(...outcomes: readonly SeedOutcome[]) {
  const totals = new Totals();
  for (const one of outcomes) totals.add(one);
  return totals.report(ABOUT);
}

describe("totals", () => {
  it("add up", () => {
    const report = sumOf(outcome(1), outcome(2, { nodes: 5, cpuMs: 90_000 }), outcome(3, { problems: ["I1"] }));
    expect(report).toMatchObject({ command: "sim", seeds: 3, lastSeed: 3, violations: 1, firstFailingSeed: 3, handovers: 6, failovers: 3 });
    expect(report.virtualHours).toBeCloseTo(0.05);
    expect(report.messages).toBe(30);
    expect(report.faults).toMatchObject({ loss: 3 });
  });

  it("take the speed from clusters of three nodes", () => {
    const report = sumOf(outcome(1), outcome(2, { nodes: 5, cpuMs: 90_000 }));
    expect(report.timesRealTime).toBe(1_200);
    expect(report.timesRealTimeInAll).toBe(120);
  });

  it("depend on no order", () => {
    const there = [outcome(1), outcome(2), outcome(3, { problems: ["I1"] }), outcome(4, { problems: ["I2"] })];
    expect(sumOf(...[...there].reverse())).toEqual(sumOf(...there));
    expect(sumOf(outcome(1)).traceHash).not.toBe(sumOf(outcome(2)).traceHash);
  });

  it("count a seed that did not end as one that failed", () => {
    const totals = new Totals();
    totals.addBroken(9);
    expect(totals.report(ABOUT)).toMatchObject({ seeds: 1, violations: 1, firstFailingSeed: 9 });
  });

  it("name what was not reached, which fails a run that was long enough", () => {
    const missing = EVERYTHING.filter(([name]) => name !== "fault pause" && name !== "case 24" && name !== "case 9");
    const report = sumOf(outcome(1, { reached: missing }));
    expect(report.unreached).toEqual(["fault pause", "case 9"]);
    expect(report.notApplicableYet).toHaveProperty("case 24");
    expect(isGood(report)).toBe(true);
    expect(isGood({ ...report, seeds: 1_000 })).toBe(false);
    expect(isGood({ ...report, seeds: 1_000, unreached: [] })).toBe(true);
    expect(isGood({ ...report, violations: 1 })).toBe(false);
  });
});
