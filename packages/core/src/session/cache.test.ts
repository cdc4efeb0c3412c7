import { describe, expect, it } from "vitest";
import { resolveLimits } from "../limits/catalogue.js";
import type { CacheClass, SessionContext } from "./context.js";
import { defineSession } from "./define-session.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";
import type { SessionEnv, TurnResult } from "./types.js";

/** A session whose one action runs whatever the test wants. */
function setup(change: Partial<SessionEnv> = {}, cache: { readonly [key: string]: CacheClass } = {}) {
  let todo: (ctx: SessionContext) => unknown = () => undefined;
  const room = defineSession({
    name: "room",
    version: 1,
    state: () => ({ n: 0 }),
    actions: (action) => ({ go: action(null, (ctx) => todo(ctx as SessionContext)) }),
    cache,
  });
  const driver = new Driver(room, testEnv(change));
  driver.attach("a");
  const go = (on: Driver, what: (ctx: SessionContext) => unknown): TurnResult | Promise<TurnResult> => {
    todo = what;
    return on.cell.run(on.message("a", "go"), true);
  };
  const restore = (from: Driver, other: Partial<SessionEnv>) => {
    const env = testEnv({ codec: from.env.codec, ...other });
    return new Driver(room, env, createSessionFactory(room, env).restore("room/1", from.cell.snapshot()));
  };
  return { driver, go, restore, room };
}

const answer = (driver: Driver) => driver.last("a")?.value;

describe("the cache", () => {
  it("keeps copies of what travels, until they are deleted", () => {
    const { driver, go } = setup();
    const value = { list: [1] };
    go(driver, (ctx) => {
      ctx.cache.set("k", value);
      value.list.push(2);
      return ctx.cache.get("k");
    });
    expect(answer(driver)).toEqual({ list: [1] });
    go(driver, (ctx) => [ctx.cache.delete("k"), ctx.cache.delete("k"), ctx.cache.get("k")]);
    expect(answer(driver)).toEqual([true, false, undefined]);
    go(driver, (ctx) => {
      ctx.cache.set("k", 1);
      ctx.cache.set("k", undefined);
      return ctx.cache.get("k");
    });
    expect(answer(driver)).toBe(undefined);
  });

  it("refuses what cannot travel, unless it is to be rebuilt", () => {
    const { driver, go } = setup({}, { local: "rebuild" });
    go(driver, (ctx) => ctx.cache.set("k", () => 1));
    expect(driver.last("a")).toMatchObject({
      kind: "failure",
      name: "E_UNTRAVELLABLE",
      value: { message: expect.stringContaining("cache.k") },
    });
    go(driver, (ctx) => {
      ctx.cache.set("local", () => 42);
      return (ctx.cache.get("local") as () => number)();
    });
    expect(answer(driver)).toBe(42);
  });

  it("is bounded in bytes and entries", () => {
    const { driver, go } = setup({ limits: resolveLimits({ maxCacheBytes: 100, maxCacheEntries: 2 }) });
    const failure = { kind: "failure", name: "E_CACHE_FULL" };
    go(driver, (ctx) => ctx.cache.set("k", "x".repeat(200)));
    expect(driver.last("a")).toMatchObject(failure);
    go(driver, (ctx) => ctx.cache.set("k", "x".repeat(80)));
    go(driver, (ctx) => ctx.cache.set("k", "y".repeat(80)));
    expect(driver.last("a")).toMatchObject({ kind: "reply" });
    go(driver, (ctx) => ctx.cache.set("l", "x".repeat(80)));
    expect(driver.last("a")).toMatchObject(failure);
    go(driver, (ctx) => ctx.cache.set("l", 1, "rebuild"));
    go(driver, (ctx) => ctx.cache.set("m", 1, "rebuild"));
    expect(driver.last("a")).toMatchObject(failure);
  });

  it("is rolled back with its turn", () => {
    const { driver, go } = setup();
    go(driver, (ctx) => ctx.cache.set("k", "old"));
    go(driver, (ctx) => {
      ctx.cache.set("k", "new");
      ctx.cache.set("l", 1, "rebuild");
      ctx.cache.delete("k");
      throw new Error("no");
    });
    go(driver, (ctx) => [ctx.cache.get("k"), ctx.cache.get("l")]);
    expect(answer(driver)).toEqual(["old", undefined]);
  });

  it("carries, leaves behind, or forgets, by class", async () => {
    const { driver, go, restore } = setup({}, { lazy: "lazy", mine: "rebuild" });
    go(driver, (ctx) => {
      ctx.cache.set("carry", [1]);
      ctx.cache.set("lazy", [2]);
      ctx.cache.set("mine", [3]);
    });
    const pulls: unknown[] = [];
    const pullCache: SessionEnv["pullCache"] = async (from, session, key) => {
      pulls.push([from, session, key]);
      return driver.cell.cachedValue(key);
    };
    const heir = restore(driver, { self: "b#1", pullCache });
    expect([driver.cell.cachedValue("lazy"), driver.cell.cachedValue("carry"), heir.cell.cachedValue("lazy")]).toEqual([
      [2],
      undefined,
      undefined,
    ]);
    go(heir, (ctx) => [ctx.cache.get("carry"), ctx.cache.get("mine")]);
    expect(answer(heir)).toEqual([[1], undefined]);
    await go(heir, async (ctx) => Promise.all([ctx.cache.get("lazy"), ctx.cache.get("lazy")]));
    expect(answer(heir)).toEqual([[2], [2]]);
    expect(pulls).toEqual([["a#1", "room/1", "lazy"]]);
    go(heir, (ctx) => ctx.cache.get("lazy"));
    expect(answer(heir)).toEqual([2]);
    expect([pulls.length, heir.cell.cachedValue("lazy")]).toEqual([1, [2]]);
  });

  it.each([
    ["is gone", async () => undefined],
    [
      "cannot be reached",
      async () => {
        throw new Error("cut");
      },
    ],
  ])("rebuilds what %s", async (_, pullCache) => {
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", 1, "lazy"));
    const heir = restore(driver, { self: "b#1", pullCache });
    await go(heir, (ctx) => ctx.cache.get("k", { rebuild: async () => "made" }));
    expect(answer(heir)).toBe("made");
    expect(heir.cell.cachedValue("k")).toBe("made");
    const second = restore(driver, { self: "b#1", pullCache });
    await go(second, (ctx) => ctx.cache.get("k"));
    expect(answer(second)).toBe(undefined);
  });

  it("does not pull from itself what it has lost", async () => {
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", 1, "lazy"));
    const again = restore(driver, { pullCache: () => Promise.reject(new Error("asked itself")) });
    await go(again, (ctx) => ctx.cache.get("k"));
    expect([answer(again), again.env.errors]).toEqual([undefined, []]);
  });

  it("rebuilds once, also asynchronously, and not on every use", async () => {
    const { driver, go } = setup();
    let made = 0;
    const rebuild = () => ++made;
    go(driver, (ctx) => [ctx.cache.get("k", { rebuild }), ctx.cache.get("k", { rebuild })]);
    expect(answer(driver)).toEqual([1, 1]);
    const slow = async () => ++made;
    await go(driver, (ctx) => Promise.all([ctx.cache.get("l", { rebuild: slow }), ctx.cache.get("l", { rebuild: slow })]));
    expect(answer(driver)).toEqual([2, 2]);
  });

  it("is gone from replicas, too, when a carried value makes way for a rebuilt one", () => {
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", "carried"));
    const heir = restore(driver, { self: "b#1" });
    const { delta } = go(driver, (ctx) => {
      ctx.cache.delete("k");
      ctx.cache.set("k", "rebuilt", "rebuild");
    }) as TurnResult;
    heir.cell.apply(delta as Uint8Array);
    go(heir, (ctx) => ctx.cache.get("k"));
    expect(answer(heir)).toBe(undefined);
  });

  it("never serves what was rebuilt before another node ran turns", () => {
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", "stale", "rebuild"));
    const heir = restore(driver, { self: "b#1" });
    const { delta } = go(heir, () => undefined) as TurnResult;
    driver.cell.apply(delta as Uint8Array);
    go(driver, (ctx) => ctx.cache.get("k"));
    expect(answer(driver)).toBe(undefined);
  });

  it("keeps the value for a later owner while the session is elsewhere, and drops it when that one replaces it", async () => {
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", "v1", "lazy"));
    const heir = restore(driver, { self: "b#1" });
    driver.cell.apply((go(heir, () => undefined) as TurnResult).delta as Uint8Array);
    expect(driver.cell.cachedValue("k")).toBe("v1");
    driver.cell.apply((go(heir, (ctx) => ctx.cache.set("k", "v2", "lazy")) as TurnResult).delta as Uint8Array);
    expect(driver.cell.cachedValue("k")).toBe(undefined);
  });

  it("stores nothing that arrives after its turn", async () => {
    let arrive: (value: unknown) => void = () => {};
    const { driver, go, restore } = setup();
    go(driver, (ctx) => ctx.cache.set("k", 1, "lazy"));
    const heir = restore(driver, { self: "b#1", pullCache: () => new Promise((resolve) => (arrive = resolve)) });
    let coming: unknown;
    go(heir, (ctx) => {
      coming = ctx.cache.get("k");
    });
    arrive("late");
    expect(await coming).toBe("late");
    expect(heir.cell.cachedValue("k")).toBe(undefined);
  });
});
