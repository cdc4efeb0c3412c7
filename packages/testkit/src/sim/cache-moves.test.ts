import { defineSession } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { SimCluster } from "./sim-cluster.js";

const KEY = "cached/one";
let rebuilt = 0;

const cached = defineSession({
  name: "cached",
  version: 1,
  state: () => ({ n: 0 }),
  cache: { portrait: "lazy", names: "carry" },
  actions: (action) => ({
    fill: action(null, (ctx) => {
      ctx.cache.set("portrait", { pixels: [1, 2, 3] });
      ctx.cache.set("names", ["ann", "bob"]);
    }),
    look: action(null, async (ctx) => ({
      portrait: await ctx.cache.get("portrait"),
      names: await ctx.cache.get("names"),
      index: await ctx.cache.get("index", { rebuild: () => ++rebuilt }),
    })),
  }),
});

describe("cached data of a session that moves", () => {
  it.each([0, 1])("lazy values are pulled from the old owner, also when it holds no copy any more (standbys %i)", async (standbys) => {
    rebuilt = 0;
    const cluster = new SimCluster({ seed: 5, nodes: ["a", "b"], definitions: [cached], limits: { standbys } });
    await cluster.start();
    const client = await cluster.until(cluster.connect<typeof cached>(KEY, ["a"]));
    await cluster.until(client.call.fill());
    expect(await cluster.until(client.call.look())).toEqual({ portrait: { pixels: [1, 2, 3] }, names: ["ann", "bob"], index: 1 });
    await cluster.until(cluster.node("a").runtime?.move(KEY, "b") as Promise<unknown>);
    await cluster.clock.run(500);
    expect(cluster.ownerOf(KEY)).toBe("b");
    expect(cluster.node("a").runtime?.host?.slots.has(KEY)).toBe(standbys === 1);
    expect(await cluster.until(client.call.look())).toEqual({ portrait: { pixels: [1, 2, 3] }, names: ["ann", "bob"], index: 2 });
  });

  it("a lazy value is gone after its retention, and says so by being absent", async () => {
    const cluster = new SimCluster({
      seed: 6,
      nodes: ["a", "b"],
      definitions: [cached],
      limits: { standbys: 0, replicaRetentionMs: 1_000 },
    });
    await cluster.start();
    const client = await cluster.until(cluster.connect<typeof cached>(KEY, ["a"]));
    await cluster.until(client.call.fill());
    await cluster.until(cluster.node("a").runtime?.move(KEY, "b") as Promise<unknown>);
    await cluster.clock.run(2_000);
    expect(await cluster.until(client.call.look())).toMatchObject({ portrait: undefined, names: ["ann", "bob"] });
  });
});
