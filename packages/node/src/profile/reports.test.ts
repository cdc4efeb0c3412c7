import { type HistogramData, LogHistogram } from "@sojourn/core";
import { expect, test } from "vitest";
import { type KindReport, mergeProfiles, type SessionReport } from "./reports.js";

const of = (...values: number[]): HistogramData => {
  const histogram = new LogHistogram();
  for (const value of values) histogram.record(value);
  return histogram.data();
};

const kind = (name: string, change: Partial<KindReport> = {}): KindReport => ({
  kind: name,
  durability: "strong",
  sessions: 1,
  active: 1,
  turns: 10,
  moves: 1,
  turnsPerSec: 2,
  movesPerSec: 0.5,
  stateBytes: of(5),
  deltaBytes: of(),
  sessionTurnsPerSec: of(),
  blackoutMs: of(1),
  encodeUs: of(),
  applyUs: of(),
  snapshotUs: of(),
  ...change,
});

const session = (key: string, node: string, turnsPerSec: number, change: Partial<SessionReport> = {}): SessionReport => ({
  session: key,
  node,
  turnsPerSec,
  stateBytes: null,
  moves: 1,
  deltaBytes: of(4),
  turnsPerSecOverTime: of(turnsPerSec),
  blackoutMs: of(),
  ...change,
});

test("profiles of several nodes become one", () => {
  const merged = mergeProfiles(
    [
      { kinds: [kind("room"), kind("call")], sessions: [session("room/a", "x", 0, { stateBytes: 7 }), session("room/b", "x", 5)] },
      { kinds: [kind("room", { sessions: 4, stateBytes: of(7, 9) })], sessions: [session("room/a", "y", 9, { moves: 2 })] },
    ],
    10,
  );
  expect(merged.kinds).toMatchObject([
    { kind: "call", sessions: 1 },
    { kind: "room", sessions: 5, turns: 20, turnsPerSec: 4, movesPerSec: 1, stateBytes: { count: 3, sum: 21 }, blackoutMs: { count: 2 } },
  ]);
  // It is where it is busy; its size and its moves are known from both.
  expect(merged.sessions).toMatchObject([
    { session: "room/a", node: "y", turnsPerSec: 9, stateBytes: 7, moves: 3, deltaBytes: { count: 2 } },
    { session: "room/b", node: "x" },
  ]);
});

test("no more sessions than were asked for, the busiest", () => {
  const sessions = [1, 3, 2].map((turns) => session(`room/${turns}`, "x", turns));
  expect(mergeProfiles([{ kinds: [], sessions }], 2).sessions.map((report) => report.session)).toEqual(["room/3", "room/2"]);
  expect(mergeProfiles([], 2)).toEqual({ kinds: [], sessions: [] });
});
