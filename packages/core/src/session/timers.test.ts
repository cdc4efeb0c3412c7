import { describe, expect, it } from "vitest";
import { z } from "zod";
import { resolveLimits } from "../limits/catalogue.js";
import { defineSession } from "./define-session.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";
import type { TurnResult } from "./types.js";

const room = defineSession({
  name: "room",
  version: 1,
  state: () => ({ fired: [] as string[] }),
  actions: (action) => ({
    set: action(z.object({ name: z.string(), delayMs: z.number(), everyMs: z.number().optional() }), (ctx, { name, delayMs, everyMs }) => {
      ctx.timers.set(name, delayMs, everyMs === undefined ? undefined : { everyMs });
      return ctx.timers.remaining(name);
    }),
    clear: action(z.string(), (ctx, name) => ctx.timers.clear(name)),
    remaining: action(z.string(), (ctx, name) => ctx.timers.remaining(name)),
  }),
  timers: {
    one: (ctx) => ctx.state.fired.push("one"),
    two: (ctx) => ctx.state.fired.push("two"),
    again: (ctx) => {
      ctx.state.fired.push("again");
      ctx.timers.set("again", 50);
    },
    bad: (ctx) => {
      ctx.state.fired.push("bad");
      ctx.timers.set("one", 1);
      throw new Error("no");
    },
  },
});

function setup(): Driver {
  const driver = new Driver(room);
  driver.attach("a");
  return driver;
}

const fired = (driver: Driver) => ((driver.image() as unknown[])[4] as { fired: string[] }).fired;
const ask = (driver: Driver, action: string, value: unknown) => {
  driver.call("a", action, value);
  return driver.last("a")?.value;
};

describe("a timer", () => {
  it("fires once, when it is due", () => {
    const driver = setup();
    expect(ask(driver, "set", { name: "one", delayMs: 100 })).toBe(100);
    expect(driver.cell.nextTimerAtMs()).toBe(1_100);
    driver.env.clock.ms = 1_040;
    expect(ask(driver, "remaining", "one")).toBe(60);
    expect(driver.run({ kind: "timer", name: "one" }).outcome).toBe("ignored");
    driver.env.clock.ms = 1_100;
    expect(driver.cell.dueTimer()).toBe("one");
    expect(driver.run({ kind: "timer", name: "one" }).outcome).toBe("committed");
    expect(driver.run({ kind: "timer", name: "one" }).outcome).toBe("ignored");
    expect([fired(driver), driver.cell.nextTimerAtMs(), driver.cell.dueTimer()]).toEqual([["one"], null, null]);
  });

  it("repeats in step and skips what was missed", () => {
    const driver = setup();
    ask(driver, "set", { name: "one", delayMs: 10, everyMs: 50 });
    driver.env.clock.ms = 1_012;
    driver.alarms();
    expect(driver.cell.nextTimerAtMs()).toBe(1_060);
    driver.env.clock.ms = 1_300;
    driver.alarms();
    expect([fired(driver).length, driver.cell.nextTimerAtMs()]).toEqual([2, 1_310]);
  });

  it("can set itself again, be replaced and be cleared", () => {
    const driver = setup();
    ask(driver, "set", { name: "again", delayMs: 0 });
    driver.alarms();
    expect(driver.cell.nextTimerAtMs()).toBe(1_050);
    ask(driver, "set", { name: "again", delayMs: 7 });
    expect(driver.cell.nextTimerAtMs()).toBe(1_007);
    expect([ask(driver, "clear", "again"), ask(driver, "clear", "again")]).toEqual([true, false]);
    expect([driver.cell.nextTimerAtMs(), ask(driver, "remaining", "again")]).toEqual([null, undefined]);
  });

  it("that is overdue the longest fires first, equal ones by name", () => {
    const driver = setup();
    ask(driver, "set", { name: "two", delayMs: 5 });
    ask(driver, "set", { name: "one", delayMs: 5 });
    ask(driver, "set", { name: "again", delayMs: 4 });
    driver.env.clock.ms = 1_020;
    driver.alarms();
    expect(fired(driver)).toEqual(["again", "one", "two"]);
  });

  it("whose handler throws has fired all the same", () => {
    const driver = setup();
    ask(driver, "set", { name: "bad", delayMs: 0 });
    expect(driver.alarms().map((r) => r.outcome)).toEqual(["committed"]);
    expect([fired(driver), driver.cell.nextTimerAtMs()]).toEqual([[], null]);
    expect(driver.env.errors).toMatchObject([{ where: "timer bad", error: { message: "no" } }]);
    ask(driver, "set", { name: "bad", delayMs: 0, everyMs: 20 });
    driver.alarms();
    expect(driver.cell.nextTimerAtMs()).toBe(1_020);
  });

  it.each([
    [{ name: "nobody", delayMs: 1 }],
    [{ name: "one", delayMs: -1 }],
    [{ name: "one", delayMs: 2e12 }],
    [{ name: "one", delayMs: 1, everyMs: 0 }],
  ])("must be valid: %o", (value) => {
    const driver = setup();
    driver.call("a", "set", value);
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_TIMER_INVALID" });
  });

  it("is one of a bounded number", () => {
    const driver = new Driver(room, testEnv({ limits: resolveLimits({ maxTimersPerSession: 1 }) }));
    driver.attach("a");
    expect(ask(driver, "set", { name: "one", delayMs: 5 })).toBe(5);
    expect(ask(driver, "set", { name: "one", delayMs: 6 })).toBe(6);
    driver.call("a", "set", { name: "two", delayMs: 5 });
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_TIMER_INVALID" });
  });

  it("travels as the time that remains, whatever the other node's clock says", () => {
    const driver = setup();
    ask(driver, "set", { name: "one", delayMs: 100 });
    driver.env.clock.ms += 30;
    const other = testEnv({ self: "b#1", codec: driver.env.codec });
    other.clock.ms = 5_000_000;
    const replica = createSessionFactory(room, other).restore("room/1", driver.cell.snapshot());
    expect(replica.nextTimerAtMs()).toBe(5_000_070);
    driver.env.clock.ms += 20;
    other.clock.ms += 21;
    const { delta } = driver.cell.run(driver.message("a", "set", { name: "two", delayMs: 10 }), true) as TurnResult;
    replica.apply(delta as Uint8Array);
    expect(replica.nextTimerAtMs()).toBe(5_000_031);
    other.clock.ms += 10;
    expect(replica.dueTimer()).toBe("two");
    other.clock.ms += 39;
    const heir = new Driver(room, other, replica);
    heir.alarms();
    expect(fired(heir)).toEqual(["two", "one"]);
  });

  it("is taken off, too, when a newer definition has lost it", () => {
    const driver = setup();
    ask(driver, "set", { name: "one", delayMs: 0 });
    const bare = defineSession({ name: "room", version: 1, state: () => ({ fired: [] }), actions: {} });
    const heir = new Driver(bare, driver.env, createSessionFactory(bare, driver.env).restore("room/1", driver.cell.snapshot()));
    expect(heir.alarms().map((r) => r.outcome)).toEqual(["committed"]);
    expect(heir.cell.nextTimerAtMs()).toBe(null);
  });
});
