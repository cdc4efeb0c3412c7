import { nodeIdOf } from "@sojourn/core";
import { expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";

it("a session that is lost begins anew also on a node that holds a copy which no record names, and nothing is wrong with that", async () => {
  const cluster = new SimCluster({ seed: 7, nodes: ["a", "b"], definitions: [counter], limits: { leaseTtlMs: 2_000 } });
  await cluster.start();
  const KEY = "counter/one";
  // The copy at b is never recorded.
  cluster.node("a").directory.intercept = (_key, { inSync }) => (inSync.length > 0 ? { fate: "lost" } : undefined);
  const client = await cluster.until(cluster.connect<typeof counter>(KEY, ["a", "b"]));
  const resets: string[] = [];
  client.on("reset", ({ reason }) => resets.push(reason));
  await cluster.untilTrue("b holds a copy", () => cluster.slot("b", KEY)?.role.cell != null);
  expect(cluster.directory.records.get(KEY)?.inSync).toEqual([]);
  // What b writes is told by its watch before it is answered.
  let writes = 0;
  cluster.node("b").directory.intercept = () => (++writes === 1 ? { fate: "unanswered", extraMs: 1 } : undefined);
  cluster.crash("a");
  await cluster.untilTrue("it begins anew at b", () => cluster.ownerOf(KEY) === "b", 10_000);
  await cluster.untilTrue("its client knows", () => resets.length > 0);
  await cluster.until(client.call.add({ who: "ann", n: 1 }));
  expect(nodeIdOf(cluster.directory.records.get(KEY)?.owner ?? "")).toBe("b");
  expect(resets).toEqual(["E_SESSION_LOST"]);
  expect(cluster.incidents.filter(({ code }) => code === "E_INTERNAL")).toEqual([]);
});
