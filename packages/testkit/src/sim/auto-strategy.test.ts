import { defineSession, type SessionDefinition } from "@sojourn/core";
import { expect, it } from "vitest";
import { SAID } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";

const IDS = ["a", "b", "c"];

/** A counter that can be made large. */
const room = defineSession({
  name: "room",
  version: 1,
  strategy: "auto",
  durability: "eventual",
  state: () => ({ count: 0, blob: "" }),
  actions: (action) => ({
    add: action(SAID, (ctx, { n }) => {
      ctx.state.count += n;
      return ctx.state.count;
    }),
    fill: action(SAID, (ctx, { n }) => {
      ctx.state.blob = "x".repeat(n);
    }),
  }),
});

async function open() {
  const cluster = new SimCluster({
    seed: 1,
    nodes: IDS,
    definitions: [room as unknown as SessionDefinition],
    limits: { profileWindowMs: 2_000, strategySettleMs: 5_000, leaseTtlMs: 2_000, directoryTimeoutMs: 400, peerTimeoutMs: 1_000 },
    auto: {},
  });
  await cluster.start();
  const join = (key: string) => cluster.until(cluster.connect<typeof room>(key, IDS));
  const strategyOf = (key: string) => cluster.directory.records.get(key)?.strategy;
  const noteOf = (key: string) => cluster.node(cluster.ownerOf(key) ?? "a").auto?.noteOf(key);
  return { cluster, join, strategyOf, noteOf };
}

it("each live session is given what suits it, with a reason, keeps everything, and changes back when it changes", async () => {
  const { cluster, join, strategyOf, noteOf } = await open();
  const large = await join("room/large");
  const small = await join("room/small");
  await cluster.until(large.call.fill({ who: "w", n: 2_000_000 }));
  let said = 0;
  const talk = async (ms: number) => {
    for (const until = cluster.clock.now() + ms; cluster.clock.now() < until; ) {
      said++;
      await cluster.until(small.call.add({ who: "w", n: 1 }));
      await cluster.clock.run(40);
    }
  };
  await cluster.until(large.call.add({ who: "w", n: 1 }));
  await talk(40_000);
  await cluster.until(large.call.add({ who: "w", n: 1 }));
  expect(strategyOf("room/large")).toBe("snapshot");
  expect(noteOf("room/large")?.reason).toMatch(/checklist/);
  const chosen = strategyOf("room/small");
  expect(noteOf("room/small")?.reason).toMatch(/checklist/);
  await talk(20_000);
  expect(strategyOf("room/small")).toBe(chosen); // nothing has changed

  // What it was given goes with it, and is judged again where it lands.
  const from = cluster.ownerOf("room/large") ?? "";
  await cluster.until(cluster.node(from).runtime?.move("room/large", from === "a" ? "b" : "a") ?? Promise.reject(new Error("down")));
  await talk(3_000);
  expect(strategyOf("room/large")).toBe("snapshot");

  await cluster.until(large.call.fill({ who: "w", n: 10 }));
  for (let i = 0; i < 600; i++) {
    await cluster.until(large.call.add({ who: "w", n: 1 }));
    await cluster.clock.run(40);
  }
  expect(strategyOf("room/large")).toBe(chosen); // it is like the other one now
  expect(await cluster.until(large.call.add({ who: "w", n: 1 }))).toBe(603);
  expect(await cluster.until(small.call.add({ who: "w", n: 1 }))).toBe(said + 1);
});
