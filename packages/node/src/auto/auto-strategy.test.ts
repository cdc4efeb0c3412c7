import { defineSession, LogHistogram, resolveLimits, type SessionDefinition, type SessionRecord, type Strategy } from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, test } from "vitest";
import type { KindReport } from "../profile/reports.js";
import { type AutoOptions, AutoStrategy, type ChosenSlot } from "./auto-strategy.js";

const SETTLE_MS = 30_000;
const spec = { version: 1, state: () => ({}), actions: {}, durability: "eventual" as const };
const room = defineSession({ ...spec, name: "room", strategy: "auto" }) as SessionDefinition;
const fixed = defineSession({ ...spec, name: "fixed" }) as SessionDefinition;

type Slot = ChosenSlot & { readonly cas: { record: SessionRecord } };

function stage(options: { readonly auto?: AutoOptions; readonly hasStore?: boolean; readonly maxStrategyChanges?: number } = {}) {
  const clock = new VirtualClock();
  const slots = new Map<string, Slot>();
  const asked: string[] = [];
  let refuse = false;
  let movesPerSec = 0;
  const none = new LogHistogram().data();
  const report = (kind: string): KindReport => ({
    kind,
    durability: "eventual",
    sessions: slots.size,
    active: 0,
    turns: 0,
    moves: 0,
    turnsPerSec: 0,
    movesPerSec,
    stateBytes: none,
    deltaBytes: none,
    sessionTurnsPerSec: none,
    blackoutMs: none,
    encodeUs: none,
    applyUs: none,
    snapshotUs: none,
  });
  const limits = resolveLimits({ strategySettleMs: SETTLE_MS, maxStrategyChanges: options.maxStrategyChanges ?? 64 });
  const auto = new AutoStrategy(
    [room, fixed],
    clock,
    limits,
    {
      slots: () => slots,
      nodes: () => 1,
      hasStore: options.hasStore ?? true,
      report,
      set: (key, to) => {
        asked.push(`${key} ${to}`);
        if (refuse) return Promise.reject(new Error("as asked"));
        const slot = slots.get(key);
        if (slot !== undefined) slot.cas.record = { ...slot.cas.record, strategy: to };
        return Promise.resolve();
      },
    },
    options.auto,
  );
  const own = (key: string, sizeBytes: number, strategy: Strategy = "replica"): Slot => {
    const record = {
      revision: 1,
      epoch: 1,
      owner: "n#1",
      inSync: [],
      heir: null,
      ended: false,
      strategy,
      stored: false,
      writer: "n#1/1",
    };
    const owner = { cell: { durability: "eventual" as const, ended: false }, movingTo: null, store: { changingTo: null } };
    const slot = { key, sizeBytes, cas: { record }, owner };
    slots.set(key, slot);
    return slot;
  };
  const window = async (rates: Readonly<Record<string, number>> = {}) => {
    for (const [key, rate] of Object.entries(rates)) auto.session(key, rate, slots.get(key)?.sizeBytes ?? 0);
    auto.windowEnded();
    clock.advance(10_000);
    await Promise.resolve();
    await Promise.resolve();
  };
  /** Until what is here has been known for long enough. */
  const windows = async (rates: Readonly<Record<string, number>> = {}) => {
    for (let i = 0; i < 3; i++) await window(rates);
  };
  const strategyOf = (key: string) => slots.get(key)?.cas.record.strategy;
  return {
    clock,
    auto,
    asked,
    own,
    window,
    windows,
    strategyOf,
    refuse: (now: boolean) => {
      refuse = now;
    },
    moves: (perSec: number) => {
      movesPerSec = perSec;
    },
  };
}

describe("strategy: auto", () => {
  test("large cold sessions go to snapshots, small busy ones that move a lot stay in memory, and it says why", async () => {
    const { own, window, windows, strategyOf, auto, asked } = stage();
    own("room/cold", 2_000_000);
    own("fixed/cold", 2_000_000);
    await window({ "room/cold": 0.01 });
    expect(asked).toEqual([]);
    await windows({ "room/cold": 0.01 });
    expect(asked).toEqual(["room/cold snapshot"]);
    expect(strategyOf("room/cold")).toBe("snapshot");
    await window();
    expect(auto.noteOf("room/cold")).toEqual({ reason: expect.stringContaining("checklist"), due: null });
    expect(auto.noteOf("fixed/cold")).toBeNull();

    const hot = stage();
    for (let i = 0; i < 50; i++) hot.own(`room/${i}`, 1_000);
    hot.moves(500);
    await hot.windows(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`room/${i}`, 20])));
    expect(hot.asked).toEqual([]);
    expect(hot.auto.noteOf("room/0")?.reason).toContain("moves a second");
  });

  test("does not touch what is under way, what is of unknown size, or what it changed a moment ago", async () => {
    const { own, window, windows, strategyOf, asked, auto } = stage();
    const moving = own("room/moving", 2_000_000);
    Object.assign(moving.owner ?? {}, { movingTo: "m#1" });
    Object.assign(own("room/granting", 2_000_000).cas.record, { heir: "m#1" });
    Object.assign(own("room/changing", 2_000_000).owner?.store ?? {}, { changingTo: "hybrid" });
    own("room/unknown", 0);
    await windows();
    expect(asked).toEqual([]);
    expect(auto.noteOf("room/moving")?.due).toBe("snapshot");
    expect(auto.noteOf("room/unknown")).toEqual({ reason: "its size is not known yet", due: null });

    const cold = own("room/cold", 2_000_000);
    await windows();
    expect(strategyOf("room/cold")).toBe("snapshot");
    Object.assign(cold.cas.record, { strategy: "replica" }); // somebody else did that
    await window();
    expect(strategyOf("room/cold")).toBe("replica");
    for (let passed = 0; passed < SETTLE_MS; passed += 10_000) await window();
    expect(strategyOf("room/cold")).toBe("snapshot");
  });

  test("numbers that wander within the band of what was chosen for never change it", async () => {
    const { own, window, windows, asked } = stage();
    const slot = own("room/a", 60_000);
    await windows({ "room/a": 2 });
    const first = asked.length;
    for (let i = 0; i < 40; i++) {
      Object.assign(slot, { sizeBytes: 60_000 * (i % 2 === 0 ? 1.05 : 0.95) });
      await window({ "room/a": i % 2 === 0 ? 2.1 : 1.9 });
    }
    expect(asked).toHaveLength(first);
  });

  test("makes so many changes at a time, and tries again what failed when it has settled", async () => {
    const { own, window, windows, asked, refuse, clock } = stage({ maxStrategyChanges: 2 });
    for (let i = 0; i < 3; i++) own(`room/${i}`, 2_000_000);
    refuse(true);
    await windows();
    expect(asked).toHaveLength(2);
    await window();
    expect(asked).toHaveLength(3);
    asked.length = 0;
    refuse(false);
    clock.advance(SETTLE_MS);
    await window();
    await window();
    expect(asked.sort()).toEqual(["room/0 snapshot", "room/1 snapshot", "room/2 snapshot"]);
  });

  test("chooses memory where there is no store, and nothing once it is stopped", async () => {
    const { own, windows, asked, auto } = stage({ hasStore: false });
    own("room/cold", 2_000_000);
    await windows();
    expect(asked).toEqual([]);
    const other = stage();
    other.own("room/cold", 2_000_000);
    other.auto.stop();
    await other.windows();
    expect(other.asked).toEqual([]);
    expect(auto.noteOf("room/gone")).toBeNull();
  });

  test("looks at thousands in steps, and forgets those that left", async () => {
    const { own, window, asked, auto, clock } = stage({ maxStrategyChanges: 100_000 });
    for (let i = 0; i < 1_000; i++) own(`room/${i}`, 2_000_000);
    await window();
    await window();
    auto.windowEnded();
    expect(asked.length).toBeLessThan(1_000);
    clock.advance(1);
    expect(asked).toHaveLength(1_000);
    await window();
    expect(auto.noteOf("room/999")).not.toBeNull();
  });
});

test("a definition with the strategy auto begins in memory", () => {
  expect(room).toMatchObject({ strategy: "replica", auto: true });
  expect(fixed.auto).toBe(false);
  expect(() => defineSession({ ...spec, name: "x", strategy: "other" as "auto" })).toThrow(
    expect.objectContaining({ code: "E_DEFINITION_INVALID" }),
  );
});
