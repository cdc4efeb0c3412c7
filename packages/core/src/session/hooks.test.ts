import { describe, expect, it } from "vitest";
import type { SessionContext } from "./context.js";
import { defineSession } from "./define-session.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";
import type { TurnInput, TurnResult } from "./types.js";

const WAKE = { kind: "wake", reason: "created", stalenessMs: 0 } as const;
const inputs: readonly TurnInput[] = [
  WAKE,
  { kind: "wake", reason: "promoted", stalenessMs: 0 },
  { kind: "beforeMove", to: "b" },
  { kind: "afterMove", from: "a", blackoutMs: 3 },
];

interface Log {
  log: unknown[];
}

function withHooks(note: (ctx: SessionContext<Log>, what: unknown) => unknown) {
  return defineSession({
    name: "room",
    version: 1,
    state: (): Log => ({ log: [] }),
    actions: {},
    onCreate: (ctx) => note(ctx, "create"),
    onWake: (ctx, { reason }) => note(ctx, reason),
    onBeforeMove: (ctx, { to }) => note(ctx, `to ${to}`),
    onAfterMove: (ctx, { from, blackoutMs }) => note(ctx, `from ${from} ${blackoutMs}`),
  });
}

const stateOf = (driver: Driver) => (driver.image() as unknown[])[4];

describe("hooks", () => {
  it("are turns", () => {
    const driver = new Driver(withHooks((ctx, what) => ctx.state.log.push(what)));
    expect(inputs.map((input) => driver.run(input).outcome)).toEqual(Array(4).fill("committed"));
    expect(driver.cell.version).toBe(4);
    expect(stateOf(driver)).toEqual({ log: ["create", "created", "promoted", "to b", "from a 3"] });
  });

  it("may be asynchronous", async () => {
    const driver = new Driver(
      withHooks(async (ctx, what) => {
        await Promise.resolve();
        ctx.state.log.push(what);
      }),
    );
    for (const input of inputs) await driver.cell.run(input, false);
    expect(stateOf(driver)).toEqual({ log: ["create", "created", "promoted", "to b", "from a 3"] });
  });

  it("cost nothing when there are none", () => {
    const driver = new Driver(defineSession({ name: "room", version: 1, state: () => ({}), actions: {} }));
    expect(inputs.map((input) => driver.run(input).outcome)).toEqual(Array(4).fill("ignored"));
    expect(driver.cell.version).toBe(0);
  });

  it("that throw are rolled back and reported", () => {
    const driver = new Driver(
      withHooks((ctx, what) => {
        ctx.state.log.push(what);
        throw new Error(String(what));
      }),
    );
    expect(inputs.map((input) => driver.run(input).outcome)).toEqual(Array(4).fill("ignored"));
    expect(driver.cell.version).toBe(0);
    expect(stateOf(driver)).toEqual({ log: [] });
    expect(driver.env.errors.map(({ where }) => where)).toEqual(["onCreate", "onWake", "onBeforeMove", "onAfterMove"]);
  });

  it("have no link unless they are about one", () => {
    const driver = new Driver(withHooks((ctx) => ctx.link));
    driver.run(WAKE);
    expect(driver.env.errors[0]?.error).toMatchObject({ code: "E_LINK_UNKNOWN" });
  });

  it("of a leaving link that throw do not keep it", () => {
    const driver = new Driver(
      defineSession({
        name: "room",
        version: 1,
        state: (): Log => ({ log: [] }),
        actions: {},
        onLeave: (ctx) => {
          ctx.state.log.push("x");
          throw new Error("no");
        },
      }),
    );
    driver.attach("a");
    expect(driver.run({ kind: "leave", link: "a", generation: 1 }).outcome).toBe("committed");
    expect(driver.cell.links.size).toBe(0);
    expect(stateOf(driver)).toEqual({ log: [] });
    expect(driver.env.errors).toMatchObject([{ where: "onLeave" }]);
  });

  it("may kick the link that joins, or end the session", () => {
    const define = (onJoin: (ctx: SessionContext<object>) => void) =>
      defineSession({ name: "room", version: 1, state: () => ({}), actions: {}, onJoin });
    const kicking = new Driver(define((ctx) => ctx.kick(ctx.link.id, "full")));
    expect(kicking.attach("a")).toMatchObject({
      outcome: "committed",
      attach: { ok: false, error: { code: "E_LINK_KICKED", message: "full" } },
      closed: [{ link: "a", ingress: "in#1", code: "E_LINK_KICKED" }],
    });
    expect(kicking.cell.links.size).toBe(0);
    const ending = new Driver(define((ctx) => ctx.end()));
    expect(ending.attach("a")).toMatchObject({ ended: true, attach: { ok: false, error: { code: "E_SESSION_ENDED" } } });
    expect(ending.cell.links.size).toBe(0);
  });
});

describe("waitUntil", () => {
  it("is counted until it settles, and what it throws is reported", async () => {
    const settle: ((error?: unknown) => void)[] = [];
    const driver = new Driver(
      withHooks((ctx) => {
        ctx.waitUntil(new Promise((resolve, reject) => settle.push((error) => (error === undefined ? resolve(1) : reject(error)))));
      }),
    );
    await driver.cell.idle();
    driver.run({ kind: "beforeMove", to: "b" });
    driver.run({ kind: "beforeMove", to: "b" });
    expect(driver.cell.pendingWork).toBe(2);
    let idle = false;
    const waiting = driver.cell.idle().then(() => {
      idle = true;
    });
    settle[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect([driver.cell.pendingWork, idle]).toEqual([1, false]);
    settle[1]?.(new Error("lost"));
    await waiting;
    expect(driver.cell.pendingWork).toBe(0);
    expect(driver.env.errors).toMatchObject([{ where: "waitUntil", error: { message: "lost" } }]);
  });
});

describe("a newer definition", () => {
  const define = (version: number, upgrade: { readonly [v: number]: (old: Record<string, unknown>) => object }) =>
    defineSession({
      name: "room",
      version,
      state: () => ({ n: 0 }) as Record<string, unknown>,
      actions: (action) => ({ inc: action(null, (ctx) => (ctx.state.n = (ctx.state.n as number) + 1)) }),
      upgrade,
    });
  const old = define(1, {});
  const middle = define(2, { 1: (s) => ({ ...s, two: true }) });
  const newest = define(3, { 1: (s) => ({ ...s, two: true }), 2: (s) => ({ ...s, three: true }) });

  it("says what it can read", () => {
    const env = testEnv();
    expect([0, 1, 2, 3, 4].map((v) => createSessionFactory(newest, env).canRead(v))).toEqual([false, true, true, true, false]);
    expect([1, 2].map((v) => createSessionFactory(define(3, { 2: (s) => s }), env).canRead(v))).toEqual([false, true]);
  });

  it("follows an older owner as it is, and upgrades step by step in its first turn", () => {
    const env = testEnv();
    const owner = new Driver(old, env);
    owner.attach("a");
    const heir = new Driver(newest, env, createSessionFactory(newest, env).restore("room/1", owner.cell.snapshot()));
    const standby = createSessionFactory(middle, env).restore("room/1", owner.cell.snapshot());
    const { delta } = owner.call("a", "inc", undefined);
    expect(delta).toBe(null);
    const next = owner.cell.run(owner.message("a", "inc"), true) as TurnResult;
    expect(() => heir.cell.apply(next.delta as Uint8Array)).toThrow(expect.objectContaining({ code: "E_DELTA_GAP" }));
    const heir2 = new Driver(newest, env, createSessionFactory(newest, env).restore("room/1", owner.cell.snapshot()));
    const last = owner.cell.run(owner.message("a", "inc"), true) as TurnResult;
    heir2.cell.apply(last.delta as Uint8Array);
    expect([heir2.cell.stateVersion, stateOf(heir2)]).toEqual([1, { n: 3 }]);
    expect(heir2.run(heir2.message("a", "inc", undefined, { seq: 2 } as never), true).outcome).toBe("duplicate");
    const first = heir2.run(heir2.message("a", "inc"), true);
    expect([heir2.cell.stateVersion, stateOf(heir2)]).toEqual([3, { n: 4, two: true, three: true }]);
    owner.cell.apply(first.delta as Uint8Array);
    expect([owner.cell.stateVersion, stateOf(owner)]).toEqual([3, { n: 4, two: true, three: true }]);
    const second = heir2.run(heir2.message("a", "inc"), true);
    expect(JSON.stringify(env.codec.decode(second.delta as Uint8Array))).not.toContain("three");
    expect(() => owner.call("a", "inc")).toThrow(expect.objectContaining({ code: "E_STATE_VERSION" }));
    expect(() => standby.run(WAKE, false)).not.toThrow();
  });

  it("refuses a state it cannot bring up, at once", () => {
    const env = testEnv();
    const owner = new Driver(newest, env);
    const broken = define(4, {
      3: () => {
        throw new Error("lost");
      },
    });
    for (const definition of [define(4, {}), broken, define(4, { 3: () => 5 as never })]) {
      expect(() => createSessionFactory(definition, env).restore("room/1", owner.cell.snapshot())).toThrow(
        expect.objectContaining({ code: "E_STATE_VERSION" }),
      );
    }
  });

  it("holds a newer state, follows it, and says that it branched, but runs no turn on it", () => {
    const env = testEnv();
    const owner = new Driver(newest, env);
    owner.attach("a");
    for (const definition of [old, middle]) {
      const held = new Driver(definition, env, createSessionFactory(definition, env).restore("room/1", owner.cell.snapshot()));
      held.cell.apply((owner.run(owner.message("a", "inc"), true) as TurnResult).delta as Uint8Array);
      expect([held.cell.stateVersion, stateOf(held)]).toEqual([3, stateOf(owner)]);
      expect(() => held.run(WAKE)).toThrow(expect.objectContaining({ code: "E_STATE_VERSION" }));
      expect(held.run({ kind: "branch", epoch: 2 }, true)).toMatchObject({ outcome: "committed", version: owner.cell.version + 1 });
    }
  });
});
