import { type HistogramData, LogHistogram } from "@sojourn/core";
import type { KindReport } from "@sojourn/node";
import { expect, test } from "vitest";
import { liveWorkload } from "../advise/live-workloads.js";
import { histogramLines } from "./histogram.js";
import { renderProfile } from "./render.js";

const of = (values: readonly number[], scale = 1): HistogramData => {
  const histogram = new LogHistogram();
  for (const value of values) histogram.record(value);
  return histogram.data(scale);
};

const report: KindReport = {
  kind: "room",
  durability: "eventual",
  sessions: 4,
  active: 3,
  turns: 12_345,
  moves: 8,
  turnsPerSec: 40,
  movesPerSec: 0.5,
  stateBytes: of([4_000, 5_000, 6_000]),
  deltaBytes: of([100, 100, 400]),
  sessionTurnsPerSec: of([5_000, 20_000], 1e-3),
  blackoutMs: of([900], 1e-3),
  encodeUs: of([]),
  applyUs: of([7_000], 1e-3),
  snapshotUs: of([]),
};

test("a histogram is a bar for each power of two, with the empty ones between", () => {
  expect(histogramLines(of([1_100, 1_200, 1_300, 1_400, 9_000]), String)).toEqual([
    ` 1024 – 2048   80.0 %  ${"█".repeat(40)}`,
    " 2048 – 4096    0.0 %",
    " 4096 – 8192    0.0 %",
    `8192 – 16384   20.0 %  ${"█".repeat(10)}`,
  ]);
  expect(histogramLines(of([]), String)).toEqual(["(nothing yet)"]);
});

test("a wide histogram takes wider steps, counts everything, and begins at 0 where there are zeros", () => {
  const values = [0, 0, ...Array.from({ length: 32 }, (_, power) => 2 ** power)];
  const lines = histogramLines(of(values), String);
  expect(lines.length).toBeLessThanOrEqual(13);
  expect(lines[0]).toMatch(/^ *0 – 1 +5\.9 %/);
  const shares = lines.map((line) => Number(/([\d.]+) %/.exec(line)?.[1]));
  expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 0);
});

test("a profile has tables and histograms, and says what is missing", () => {
  const session = { session: "room/a", node: "n", turnsPerSec: 30, stateBytes: 5_000, moves: 2 };
  const text = renderProfile({
    kinds: [report],
    sessions: [{ ...session, deltaBytes: of([100]), turnsPerSecOverTime: of([30]), blackoutMs: of([]) }],
    silent: [{ node: "m", error: { code: "E_PEER_UNREACHABLE", message: "no answer", details: {} } }],
  });
  expect(text).toMatch(/^room +eventual +4 +3 +40\/s +0.5\/s +12\.3 k +8$/m);
  expect(text).toMatch(/^size of a session +[\d.]+ KB +[\d.]+ KB +[\d.]+ KB +6 KB +5 KB +3$/m);
  expect(text).toMatch(/^encoding a change +- +- +- +- +- +-$/m);
  expect(text).toMatch(/^applying a change +[67](?:\.\d+)? µs/m);
  expect(text).toMatch(/Change of a turn\n +64 B – 128 B +66\.7 % +█/);
  expect(text).toMatch(/^room\/a +n +30\/s +5 KB +\d+ B +2 +-$/m);
  expect(text).toContain("m is missing: E_PEER_UNREACHABLE: no answer");
  expect(renderProfile({ kinds: [], sessions: [], silent: [] })).toBe("No node keeps a profile.");
});

test("what was measured of a kind is a workload", () => {
  expect(liveWorkload(report, {})).toMatchObject({
    workload: {
      stateBytes: 5_000,
      deltaBytes: 200,
      turnsPerSec: 10,
      movesPerSec: 0.5,
      durability: "eventual",
      sessions: 4,
      memoryBytes: null,
    },
    notes: [],
  });
});

test("what is given replaces what was measured; more sessions move more", () => {
  const given = { sessions: 400, memoryBytes: 1e9, durability: "strong", deltaBytes: 50 } as const;
  expect(liveWorkload(report, given).workload).toMatchObject({ ...given, stateBytes: 5_000, turnsPerSec: 10, movesPerSec: 50 });
});

test("what is not known is said", () => {
  const unknown = { ...report, stateBytes: of([]), deltaBytes: of([]) };
  expect(liveWorkload(unknown, {})).toMatchObject({ workload: null, notes: [expect.stringContaining("give --size")] });
  expect(liveWorkload(unknown, { stateBytes: 150 })).toMatchObject({
    workload: { deltaBytes: 150 },
    notes: [expect.stringContaining("a change of 150 B is assumed")],
  });
  expect(liveWorkload({ ...report, sessions: 0 }, {})).toMatchObject({
    workload: null,
    notes: [expect.stringContaining("give --sessions")],
  });
});
