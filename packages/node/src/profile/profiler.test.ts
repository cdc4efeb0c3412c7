import { defineSession, meanOf, percentileOf, resolveLimits, type SessionDefinition } from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, test } from "vitest";
import { Profiler } from "./profiler.js";

const WINDOW_MS = 1_000;

const kind = (name: string, durability: "strong" | "eventual" = "strong") =>
  defineSession({ name, version: 1, state: () => ({}), actions: {}, durability }) as SessionDefinition;

/** A profiler on virtual time, over slots that a test fills. */
function stage(limits: Parameters<typeof resolveLimits>[0] = {}) {
  const clock = new VirtualClock();
  const profiler = new Profiler([kind("room"), kind("call", "eventual")], clock, resolveLimits({ profileWindowMs: WINDOW_MS, ...limits }));
  const slots = new Map<string, { key: string; sizeBytes: number; owner: { cell: Cell } | null }>();
  profiler.start(() => slots);
  const own = (key: string, sizeBytes: number, cell: Partial<Cell> = {}) => {
    const whole = { busy: false, ended: false, encodings: 0, snapshot: () => new Uint8Array(sizeBytes), ...cell };
    slots.set(key, { key, sizeBytes, owner: { cell: whole } });
    const meter = profiler.meterOf(key);
    if (meter === null) throw new Error(`no kind for ${key}`);
    return meter;
  };
  const report = (of: string | null = null, limit = 100) => profiler.report("n", of, limit);
  const room = () => {
    const found = report("room").kinds[0];
    if (found === undefined) throw new Error("no report");
    return found;
  };
  return { clock, profiler, slots, own, report, room };
}

interface Cell {
  readonly busy: boolean;
  readonly ended: boolean;
  readonly snapshot: () => Uint8Array;
}

const bytes = (count: number) => new Uint8Array(count);

describe("a kind's profile", () => {
  test("counts turns and changes at once, and rates over the window", () => {
    const { clock, own, room } = stage();
    const meter = own("room/a", 0);
    for (let i = 0; i < 20; i++) meter.turn(bytes(100));
    for (let i = 0; i < 10; i++) meter.turn(null);
    expect(room()).toMatchObject({ kind: "room", durability: "strong", sessions: 1, turns: 30, deltaBytes: { count: 3, sum: 300 } });
    clock.advance(WINDOW_MS);
    expect(room()).toMatchObject({ active: 1, turnsPerSec: 30, sessionTurnsPerSec: { count: 1, sum: 30 } });
    clock.advance(WINDOW_MS);
    expect(room()).toMatchObject({ active: 0, turnsPerSec: 15, turns: 30, sessionTurnsPerSec: { count: 1 } });
  });

  test("keeps kinds apart, and knows nothing of others", () => {
    const { own, report, profiler } = stage();
    own("room/a", 0).turn(null);
    own("call/b", 0).turn(null);
    own("call/c", 0).turn(null);
    expect(report().kinds.map((of) => [of.kind, of.turns, of.sessions, of.durability])).toEqual([
      ["room", 1, 1, "strong"],
      ["call", 2, 2, "eventual"],
    ]);
    expect(report("call").kinds).toHaveLength(1);
    expect(profiler.meterOf("none/a")).toBeNull();
    expect(profiler.timerOf("none")).toBeUndefined();
  });

  test("counts moves and how long they froze the session", () => {
    const { clock, profiler, room } = stage();
    clock.advance(WINDOW_MS / 2);
    const move = { session: "room/a", from: "n#1", to: "m#1", epoch: 2, totalMs: 5 };
    profiler.moved({ ...move, blackoutMs: 0.5 });
    profiler.moved({ ...move, blackoutMs: 1.5 });
    profiler.moved({ ...move, session: "none/a", blackoutMs: 9 });
    expect(room()).toMatchObject({ moves: 2, movesPerSec: 4, blackoutMs: { count: 2, sum: 2, max: 1.5 } });
  });

  test("times one change of 509", () => {
    const { profiler, room } = stage();
    const timer = profiler.timerOf("room");
    let due = 0;
    for (let i = 0; i < 5_090; i++) if (timer?.due()) due++;
    expect(due).toBe(10);
    timer?.encoded(0.004);
    timer?.applied(0.009);
    expect(room()).toMatchObject({ encodeUs: { count: 1, sum: 4 }, applyUs: { count: 1, sum: 9 } });
  });

  test("forgets by halves what is long ago", () => {
    const { clock, own, room } = stage();
    const meter = own("room/a", 0);
    for (let window = 0; window < 30; window++) {
      for (let i = 0; i < 10; i++) meter.turn(bytes(64));
      clock.advance(WINDOW_MS);
    }
    expect(room()).toMatchObject({ turns: 300, turnsPerSec: 10, deltaBytes: { count: 30 } });
    clock.advance(15 * WINDOW_MS);
    expect(room().turnsPerSec).toBeCloseTo(5);
  });
});

describe("sizes", () => {
  test("are learnt when a session is encoded anyway, once a window for each that had turns", () => {
    const { clock, own, room } = stage({ maxProfiledStateBytes: 0 });
    const a = own("room/a", 5_000);
    own("room/idle", 9_000);
    for (let window = 0; window < 3; window++) {
      a.turn(bytes(10));
      clock.advance(WINDOW_MS);
    }
    expect(room().stateBytes.count).toBe(3);
    expect(meanOf(room().stateBytes)).toBe(5_000);
  });

  test("of a few are looked at each window, in turn", () => {
    const { clock, own, room, slots } = stage();
    const meters = Array.from({ length: 10 }, (_, i) => own(`room/${i}`, 1_000));
    let encodings = 0;
    for (const slot of slots.values()) {
      const cell = { busy: false, ended: false, snapshot: () => bytes(2_000 + encodings++) };
      slots.set(slot.key, { ...slot, owner: { cell } });
    }
    for (let window = 1; window <= 5; window++) {
      for (const meter of meters) meter.turn(bytes(10));
      clock.advance(WINDOW_MS);
      expect(encodings).toBe(window * 4);
    }
    expect(room().snapshotUs.count).toBe(20);
    expect(percentileOf(room().stateBytes, 99)).toBeGreaterThan(1_900);
  });

  test("of what is large, busy, ended or unknown are left alone", () => {
    const { clock, own, room } = stage({ maxProfiledStateBytes: 10_000 });
    const refuse = () => {
      throw new Error("was encoded");
    };
    const meters = [
      own("room/large", 10_001, { snapshot: refuse }),
      own("room/grown", 5_000, { snapshot: refuse }),
      own("room/busy", 100, { busy: true, snapshot: refuse }),
      own("room/ended", 100, { ended: true, snapshot: refuse }),
      own("room/unknown", 0, { snapshot: refuse }),
    ];
    for (const meter of meters) meter.turn(bytes(5_001));
    clock.advance(WINDOW_MS);
    expect(room().snapshotUs.count).toBe(0);
  });
});

describe("details", () => {
  test("are kept of the busiest, no more than the bound, and make way for busier ones", () => {
    const { clock, own, report, profiler } = stage({ maxProfiledSessions: 3 });
    const meters = Array.from({ length: 50 }, (_, i) => own(`room/${i}`, 100));
    const turns = (of: (i: number) => number) => {
      meters.forEach((meter, i) => {
        for (let n = 0; n < of(i); n++) meter.turn(bytes(30));
      });
      clock.advance(WINDOW_MS);
    };
    turns((i) => i);
    expect(report().sessions.map(({ session, turnsPerSec }) => [session, turnsPerSec])).toEqual([
      ["room/49", 49],
      ["room/48", 48],
      ["room/47", 47],
    ]);
    turns((i) => 50 - i);
    expect(report().sessions.map(({ session }) => session)).toEqual(["room/0", "room/1", "room/2"]);
    turns((i) => 50 - i);
    const [first] = report().sessions;
    // From the window after the one that made it stand out.
    expect(first).toMatchObject({ node: "n", turnsPerSec: 50, stateBytes: 100, deltaBytes: { count: 7, sum: 210 }, moves: 0 });
    profiler.moved({ session: "room/0", from: "n#1", to: "m#1", epoch: 2, totalMs: 5, blackoutMs: 2 });
    expect(report("room", 1).sessions).toMatchObject([{ session: "room/0", moves: 1, blackoutMs: { sum: 2 } }]);
    expect(report("call").sessions).toEqual([]);
  });

  test("go on when a session comes back, and end when it stays away", () => {
    const { clock, own, report } = stage({ maxProfiledSessions: 2 });
    own("room/a", 100).turn(bytes(10));
    clock.advance(WINDOW_MS);
    own("room/a", 100).turn(bytes(10));
    clock.advance(WINDOW_MS);
    expect(report().sessions).toMatchObject([{ turnsPerSecOverTime: { count: 2 }, deltaBytes: { count: 1 } }]);
    clock.advance(29 * WINDOW_MS);
    expect(report().sessions).toMatchObject([{ turnsPerSec: 0 }]);
    clock.advance(2 * WINDOW_MS);
    expect(report().sessions).toEqual([]);
  });
});

test("the end of a window is taken in steps", () => {
  const { clock, own, room } = stage();
  for (let i = 0; i < 5_000; i++) own(`room/${i}`, 0).turn(null);
  clock.advance(WINDOW_MS);
  expect(room().active).toBe(5_000);
  expect(room().sessionTurnsPerSec.count).toBe(5_000);
});

test("a profiler that was stopped closes no window", () => {
  const { clock, profiler, own, room } = stage();
  own("room/a", 0).turn(null);
  profiler.stop();
  clock.advance(5 * WINDOW_MS);
  expect(room().active).toBe(0);
});
