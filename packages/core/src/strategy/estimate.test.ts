import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { estimateStrategy, type StrategyEstimate } from "./estimate.js";
import { FIGURES, resolveFigures } from "./figures.js";
import type { Estimate } from "./reckoning.js";
import { STRATEGIES } from "./strategy.js";
import { anyWorkload, workload } from "./workload.fixture.test.js";

/** Round numbers, so that results can be worked out by hand. */
const ROUND = resolveFigures({
  "session.encodeBytesPerSec": 1e6,
  "session.restoreBytesPerSec": 1e6,
  "session.applyUs": 10,
  "session.heapPerByte": 2,
  "session.heapBytes": 0,
  "move.replicaMs": 1,
  "move.hybridMs": 1,
  "move.snapshotMs": 1,
  "move.toCopyShare": 0.5,
  "network.rttMs": 2,
  "network.bytesPerSec": 1e6,
  "network.frameBytes": 0,
  "network.usdPerGb": 1,
  "failure.restartMs": 30_000,
  "disk.appendMs": 3,
  "disk.readMs": 1,
  "disk.readBytesPerSec": 1e6,
  "disk.writeBytesPerSec": 1e6,
  "ram.usdPerGbMonth": 5,
});

/** 1,000 sessions of 10 KB that make 1 MB of changes a second together. */
const MANY = workload({
  stateBytes: 10_000,
  deltaBytes: 100,
  turnsPerSec: 10,
  movesPerSec: 100,
  sessions: 1_000,
  standbys: 2,
  snapshotIntervalMs: 10_000,
  baseIntervalMs: 60_000,
  baseLogPercent: 50,
  replayBudgetMs: 100,
});

const values = (estimate: StrategyEstimate) =>
  Object.fromEntries(
    Object.entries(estimate).flatMap(([name, part]) => (typeof part === "object" ? [[name, (part as Estimate).value]] : [])),
  );

describe("worked out by hand", () => {
  test("replica: copies in memory, every change to each of them", () => {
    expect(values(estimateStrategy("replica", MANY, ROUND))).toMatchObject({
      blackoutMs: 2,
      copyMs: 32,
      failoverMs: 1_002,
      outputWaitMs: 2,
      memoryBytes: 60e6,
      storedBytes: 0,
      storeBytesPerSec: 0,
      // 1,000 × 10 × 2 × 100 B of changes, and half of 100 moves of 10 KB
      networkBytesPerSec: 2.5e6,
      lostMs: 0,
      memoryUsdPerMonth: 0.3,
      storeUsdPerMonth: 0,
      trafficUsdPerMonth: expect.closeTo(6_574.5, 3),
    });
    const eventual = { ...MANY, durability: "eventual" as const };
    expect(values(estimateStrategy("replica", eventual, ROUND))).toMatchObject({
      failoverMs: 10_002,
      outputWaitMs: 0,
      lostMs: 6,
      lostTurns: 0.06,
    });
  });

  test("snapshot: the whole state every interval, and half of one is lost on average", () => {
    expect(values(estimateStrategy("snapshot", { ...MANY, durability: "eventual" }, ROUND))).toMatchObject({
      memoryBytes: 20e6,
      storedBytes: 20e6,
      // every 10 s
      storeBytesPerSec: 1e6,
      storeRequestsPerSec: 100,
      // the disk is the node's own: nobody reads it before the node is back; then 1 ms and twice 10 ms
      failoverMs: 30_021,
      lostMs: 5_023,
      outputWaitMs: 0,
      networkBytesPerSec: 1e6,
    });
  });

  test("snapshot: a session without turns writes nothing", () => {
    expect(values(estimateStrategy("snapshot", { ...MANY, turnsPerSec: 0 }, ROUND))).toMatchObject({
      storeBytesPerSec: 0,
      lostTurns: 0,
    });
  });

  test("hybrid: a base before replaying would cost more than the budget, every change to the log", () => {
    // 10 turns/s × 10 µs: the interval is allowed. 600 turns × 10 µs of log.
    expect(values(estimateStrategy("hybrid", MANY, ROUND))).toMatchObject({
      memoryBytes: 20e6,
      storedBytes: 2_000 * (10_000 + 60_000),
      storeBytesPerSec: 1e6 + 1e7 / 60,
      storeRequestsPerSec: expect.closeTo(10_000 + 1_000 / 60),
      // 1 ms and twice 10 ms to read it; 5,000 turns of next to nothing are half of 10 KB, and half of those are replayed
      failoverMs: 30_046,
      outputWaitMs: 3,
      lostMs: 0,
    });
    // A log of 1 KB/s is worth a base of 10 KB after 5 s, but one of 1 MB only after 500 s; then replaying may cost up to the budget.
    const large = values(estimateStrategy("hybrid", { ...MANY, stateBytes: 1e6 }, ROUND));
    expect(large.storeBytesPerSec).toBe(1e6 + 1e9 / 500);
    expect(large.failoverMs).toBe(30_000 + 1 + 2_000 + 50);
    // 1,000 turns/s: 10 ms of replay a second, so 10 s of log.
    const busy = values(estimateStrategy("hybrid", { ...MANY, turnsPerSec: 1_000 }, ROUND));
    expect(busy.failoverMs).toBeCloseTo(30_071);
    const eventual = values(estimateStrategy("hybrid", { ...MANY, durability: "eventual" }, ROUND));
    expect(eventual).toMatchObject({ outputWaitMs: 0, lostMs: 3 });
  });

  test("a store that others can read does not wait for the node, and costs traffic", () => {
    const figures = resolveFigures({ "redis.readMs": 1, "redis.readBytesPerSec": 1e6, "session.restoreBytesPerSec": 1e6 });
    const { failoverMs, networkBytesPerSec, survives } = estimateStrategy(
      "snapshot",
      { ...MANY, store: "redis", durability: "eventual" },
      figures,
    );
    expect([failoverMs.value, networkBytesPerSec.value, survives]).toEqual([10_021, 2e6, "machine"]);
    expect(estimateStrategy("snapshot", MANY, figures).survives).toBe("process");
  });
});

describe("what a number rests on", () => {
  test("is the least firm of its figures, which are named when nobody measured or published them", () => {
    const { outputWaitMs, blackoutMs, storeUsdPerMonth } = estimateStrategy("hybrid", MANY, FIGURES);
    expect(outputWaitMs).toMatchObject({ basis: "measured", assumes: [] });
    expect(blackoutMs).toMatchObject({ basis: "assumed", assumes: ["move.hybridMs", "network.rttMs"] });
    expect(storeUsdPerMonth.basis).toBe("assumed");
    const snapshot = estimateStrategy("snapshot", MANY, FIGURES);
    expect(snapshot.storeUsdPerMonth).toMatchObject({ basis: "published", assumes: [] });
    expect(estimateStrategy("replica", MANY, ROUND).outputWaitMs).toMatchObject({ basis: "given", assumes: [] });
  });

  test("a state that nobody moves off its own node needs no figure it does not use", () => {
    expect(estimateStrategy("replica", MANY, FIGURES).storeUsdPerMonth).toEqual({ value: 0, basis: "given", assumes: [] });
  });
});

test("nothing gets cheaper or faster when sessions get larger, busier, or move more", () => {
  const grown = fc.constantFrom("stateBytes" as const, "deltaBytes" as const, "turnsPerSec" as const, "movesPerSec" as const);
  fc.assert(
    fc.property(
      anyWorkload,
      grown,
      fc.double({ min: 1, max: 100, noNaN: true }),
      fc.constantFrom(...STRATEGIES),
      (small, what, by, strategy) => {
        const before = values(estimateStrategy(strategy, small, FIGURES));
        const after = values(estimateStrategy(strategy, { ...small, [what]: small[what] * by }, FIGURES));
        for (const [name, value] of Object.entries(before)) {
          expect(after[name], `${strategy} ${name}`).toBeGreaterThanOrEqual((value as number) * (1 - 1e-9));
        }
      },
    ),
  );
});
