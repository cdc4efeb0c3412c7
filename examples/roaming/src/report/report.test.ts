import { describe, expect, test } from "vitest";
import { Rate } from "./rate.js";
import { count, describeReport, faultsOf, type RoamingReport } from "./report.js";
import { frameOf, lineOf, lineView, type Moment } from "./view.js";

const GOOD: RoamingReport = {
  command: "start",
  moves: 3_000,
  messages: 80_000,
  lost: 0,
  doubled: 0,
  reordered: 0,
  blackoutMs: { p50: 1, p99: 2, max: 3 },
  movesPerSec: 100,
  replyMs: { p50: 4, p99: 5, max: 6 },
  replies: 60_000,
  evacuated: 0,
  movesFailed: {},
  handoversSeen: 2_900,
  reconnects: 0,
  failedCalls: {},
  clients: 200,
  audited: 200,
  nodes: 3,
  seed: 1,
  source: "generated",
  runMs: 30_000,
  incidents: 0,
  faults: [],
};

const MOMENT: Moment = {
  title: "Sojourn",
  elapsedMs: 61_000,
  nodes: [
    { id: "fra-1", name: "Frankfurt", pid: 41, state: "running", sessions: 120, clients: 118, exitCode: null },
    { id: "iad-1", name: "Ashburn", pid: 42, state: "ended", sessions: 0, clients: 0, exitCode: 0 },
  ],
  moves: 1_234,
  movesPerSec: 99.6,
  movesFailed: 0,
  blackoutMs: { count: 9, p50: 1.234, p99: 5, max: 9 },
  replyMs: { count: 9, p50: 2, p99: 3, max: 4 },
  messages: 56_789,
  lost: 0,
  doubled: 0,
  reordered: 0,
  failedCalls: 0,
};

describe("the verdict", () => {
  test("is good when nothing is wrong; moves that were not made are no fault", () => {
    expect(faultsOf({ ...GOOD, movesFailed: { E_MOVE_BUSY: 3 } }, [])).toEqual([]);
  });

  test.each([
    [{ lost: 1 }, "1 messages were lost"],
    [{ doubled: 2 }, "2 messages were doubled"],
    [{ reordered: 3 }, "3 messages were reordered"],
    [{ failedCalls: { E_CALL_TIMEOUT: 4 } }, "calls failed: 4 × E_CALL_TIMEOUT"],
    [{ audited: 199 }, "1 of 200 sessions could not be audited"],
  ])("is bad for %j", (change, fault) => {
    expect(faultsOf({ ...GOOD, ...change }, [])).toEqual([fault]);
  });

  test("keeps the list of what clients found short", () => {
    const faults = faultsOf(
      GOOD,
      Array.from({ length: 25 }, (_, i) => `user ${i}: odd`),
    );
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)).toBe("… and 5 more");
  });

  test("is the last line for people", () => {
    expect(describeReport(GOOD).at(-1)).toBe("Nothing was lost, doubled or reordered.");
    expect(describeReport({ ...GOOD, faults: ["x"] }).slice(-2)).toEqual(["FAULT x", "The run failed."]);
  });
});

describe("the view", () => {
  test("shows each node with its process and its sessions, and all counts", () => {
    const text = frameOf(MOMENT, ["something happened"]).join("\n");
    expect(text).toMatch(/fra-1\s+Frankfurt\s+41\s+running\s+118\s+120\s+█{24}/);
    expect(text).toMatch(/iad-1\s+Ashburn\s+-\s+ended \(0\)/);
    expect(text).toMatch(/moves\s+1,234\s+100\/s/);
    expect(text).toContain("lost 0   doubled 0   reordered 0");
    expect(text).toContain("something happened");
  });

  test("has a short form of one line", () => {
    expect(lineOf(MOMENT)).toBe(
      "01:01  fra-1 120 · iad-1 ended  1,234 moves (100/s)  blackout p50 1.23 p99 5.00 ms  56,789 messages  0 lost 0 doubled 0 reordered",
    );
  });

  test("prints pids once, steers no terminal with others' words, and stops at forty incidents", () => {
    const lines: string[] = [];
    const view = lineView((line) => lines.push(line));
    view.show(MOMENT);
    view.show(MOMENT);
    expect(lines.filter((line) => line.startsWith("pids"))).toEqual(["pids: fra-1 41, iad-1 42"]);
    lines.length = 0;
    for (let i = 0; i < 100; i++) view.incident("a\x1b[2Jb\nc");
    expect(lines[0]).toBe("! a [2Jb c");
    expect(lines).toHaveLength(41);
  });
});

test("the rate is that of the latest seconds", () => {
  const rate = new Rate(5_000);
  expect(rate.perSecond(0)).toBe(0);
  for (let atMs = 0; atMs < 10_000; atMs += 100) rate.add(atMs, 10);
  expect(rate.perSecond(10_000)).toBeCloseTo(100, -1);
  expect(rate.perSecond(20_000)).toBe(0);
});

test("numbers have their thousands apart", () => {
  expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(["0", "999", "1,000", "1,234,567"]);
});
