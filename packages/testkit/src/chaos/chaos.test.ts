import { describe, expect, test } from "vitest";
import { SeededRandom } from "../sim/seeded-random.js";
import { parseChaosOptions } from "./command-line.js";
import { FAULT_KINDS, faultPlan, whyNot } from "./faults.js";
import { describeReport, type Findings, makeReport } from "./report.js";
import { runChaos } from "./run-chaos.js";

const FINE: Findings = {
  seed: 4,
  nodes: 4,
  clients: 2,
  standbys: 1,
  leaseMs: 2_000,
  failover: "lease",
  elapsedMs: 61_000,
  faults: { kill: 2, cut: 1 },
  skipped: { fullDisk: "no tool" },
  crowd: { messages: 900, lost: 0, doubled: 0, reordered: 0, audited: 2, faults: [] },
  outages: { count: 3, p50: 210, p99: 900, max: 901 },
  moves: { tried: 30, moved: 25, refused: 2, reverted: 2, untold: 1, open: 0 },
  evacuated: 5,
  overseer: { failoversTried: 4, failovers: 4 },
  sessionsLost: 0,
  troubles: [],
};

describe("the plan of faults", () => {
  const first = (seed: number, count: number) => {
    const plan = faultPlan(new SeededRandom(seed), FAULT_KINDS);
    return Array.from({ length: count }, () => plan.next().value);
  };

  test("is the same for the same seed, and another for another one", () => {
    expect(first(7, 40)).toEqual(first(7, 40));
    expect(first(8, 40)).not.toEqual(first(7, 40));
  });

  test("has every kind once in each round", () => {
    const two = first(3, 2 * FAULT_KINDS.length);
    expect(two.slice(0, FAULT_KINDS.length).sort()).toEqual([...FAULT_KINDS].sort());
    expect(two.slice(FAULT_KINDS.length).sort()).toEqual([...FAULT_KINDS].sort());
  });
});

describe("the report", () => {
  test("has the agreed keys, and no problem when there is none", () => {
    expect(makeReport(FINE)).toMatchObject({
      command: "chaos",
      faults: { kill: 2, cut: 1 },
      messages: 900,
      lost: 0,
      doubled: 0,
      reordered: 0,
      handovers: 30,
      handoversTried: 35,
      unfinished: 0,
      failovers: 4,
      outageMs: { p50: 210, p99: 900, max: 901 },
      problems: [],
    });
  });

  test.each([
    ["a lost message", { crowd: { ...FINE.crowd, lost: 1 } }],
    ["a doubled message", { crowd: { ...FINE.crowd, doubled: 1 } }],
    ["a reordered message", { crowd: { ...FINE.crowd, reordered: 1 } }],
    ["books that do not agree", { crowd: { ...FINE.crowd, faults: ["wrong"] } }],
    ["a hand-over without an end", { moves: { ...FINE.moves, open: 1 } }],
    ["a lost session", { sessionsLost: 1 }],
    ["a cluster that is not whole again", { troubles: ["not whole"] }],
  ])("calls %s a problem", (_, wrong) => {
    expect(makeReport({ ...FINE, ...wrong }).problems).toHaveLength(1);
  });

  test("tells the same trouble once, with how often", () => {
    const crowd = { ...FINE.crowd, faults: ["a", "b", "a", "a"] };
    expect(makeReport({ ...FINE, crowd }).problems).toEqual(["a (3 times)", "b"]);
  });

  test("tells people what was injected, what was not possible, and what is wrong", () => {
    const text = describeReport(makeReport({ ...FINE, sessionsLost: 1 })).join("\n");
    for (const part of ["kill 2, cut 1", "fullDisk: no tool", "tried 35, done 30", "lease 2000 ms", "PROBLEM"])
      expect(text).toContain(part);
  });
});

test("nobody is accused in vain: where copies wait for leases that is no fault", () => {
  expect(whyNot("accusation", "lease")).toMatch(/lease/);
  expect(whyNot("accusation", "suspicion")).toBeNull();
});

describe("the command line", () => {
  test("has defaults, and takes what is given", () => {
    expect(parseChaosOptions([])).toMatchObject({
      run: { forMs: 60_000, seed: 1, nodes: 4, leaseMs: 2_000, failover: "lease" },
      json: false,
    });
    expect(parseChaosOptions(["--for", "5m", "--seed", "9", "--lease", "1.5s", "--faults", "kill,cut", "--json"])).toMatchObject({
      run: { forMs: 300_000, seed: 9, leaseMs: 1_500, faults: ["kill", "cut"] },
      json: true,
    });
    expect(parseChaosOptions(["--failover", "suspicion"])).toMatchObject({ run: { failover: "suspicion" } });
    expect(parseChaosOptions(["--help"])).toBe("help");
  });

  test.each([
    ["--for", "soon"],
    ["--seed", "-1"],
    ["--nodes", "2"],
    ["--faults", "kill,earthquake"],
    ["--failover", "luck"],
    ["--frob", "1"],
  ])("refuses %s %s", (flag, value) => {
    expect(() => parseChaosOptions([flag, value])).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });

  test("a run of two nodes is refused: while one is away, a session would have no copy", async () => {
    await expect(runChaos({ forMs: 1_000, nodes: 2 })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });
});
