import { defineSession, nodeIdOf, type Priority, type SessionDefinition } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { SimCluster } from "./sim-cluster.js";

const IDS = ["a", "b", "c", "d", "e"];

const kind = (name: string, priority: Priority, blob = 0) =>
  defineSession({
    name,
    version: 1,
    priority,
    state: () => ({ blob: "x".repeat(blob), count: 0 }),
    actions: (action) => ({
      add: action(null, (ctx) => ++ctx.state.count),
      grow: action(null, (ctx) => {
        ctx.state.blob += "y".repeat(20_000);
      }),
    }),
  }) as unknown as SessionDefinition;

/** Opens sessions at node `a` and leaves them there. */
async function fill(cluster: SimCluster, keys: readonly string[], atOnce = 100): Promise<void> {
  for (let at = 0; at < keys.length; at += atOnce) {
    const joining = keys.slice(at, at + atOnce).map((key) => cluster.connect(key, ["a"]));
    for (const client of await cluster.until(Promise.all(joining))) client.detach();
  }
}

const copiesOf = (cluster: SimCluster, keys: readonly string[]) =>
  keys.map((key) => cluster.slot("a", key)?.cas.record?.inSync.map(nodeIdOf) ?? []);

function count(names: readonly (string | null | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) if (name != null) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

describe("the copies of one node's sessions", () => {
  it("are spread over the others, and so are the sessions when the node dies", async () => {
    const cluster = new SimCluster({
      seed: 1,
      nodes: IDS,
      definitions: [kind("room", "normal")],
      limits: { leaseTtlMs: 2_000, maxPromotionsInFlight: 16 },
    });
    await cluster.start();
    const keys = Array.from({ length: 1_000 }, (_, i) => `room/${i}`);
    await fill(cluster, keys);
    await cluster.untilTrue("every session has a copy", () => copiesOf(cluster, keys).every(({ length }) => length === 1), 30_000);
    const placed = count(copiesOf(cluster, keys).flat());
    expect(placed.size).toBe(4);
    expect(Math.max(...placed.values())).toBeLessThan(250 * 1.5);

    cluster.crash("a");
    const heirs = IDS.slice(1);
    let most = 0;
    await cluster.untilTrue(
      "every session has a new owner",
      () => {
        for (const id of heirs) most = Math.max(most, cluster.node(id).runtime?.host?.promotionsInFlight ?? 0);
        return keys.every((key) => cluster.ownerOf(key) !== null);
      },
      10_000,
    );
    const owners = count(keys.map((key) => cluster.ownerOf(key)));
    expect(owners).toEqual(placed);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(16);
    await cluster.untilTrue(
      "every session has a copy again, spread over the three others of each",
      () => keys.every((key) => cluster.slot(cluster.ownerOf(key) ?? "", key)?.cas.record?.inSync.length === 1),
      30_000,
    );
    const again = count(keys.flatMap((key) => cluster.slot(cluster.ownerOf(key) ?? "", key)?.cas.record?.inSync.map(nodeIdOf) ?? []));
    expect(Math.max(...again.values())).toBeLessThan(250 * 1.5);
  });

  it("are promoted by priority", async () => {
    const cluster = new SimCluster({
      seed: 2,
      nodes: ["a", "b"],
      definitions: [kind("guest", "anonymous"), kind("room", "normal"), kind("surgery", "critical")],
      limits: { leaseTtlMs: 2_000, maxPromotionsInFlight: 1 },
    });
    await cluster.start();
    const keys = ["guest", "room", "surgery"].flatMap((name) => [1, 2, 3].map((n) => `${name}/${n}`));
    await fill(cluster, keys);
    await cluster.untilTrue("every session has a copy", () => copiesOf(cluster, keys).every(({ length }) => length === 1));
    const promoted: string[] = [];
    cluster.node("b").directory.intercept = (key, draft) => {
      if (draft.owner === cluster.node("b").runtime?.self) promoted.push(key);
      return undefined;
    };
    cluster.crash("a");
    await cluster.untilTrue("all are promoted", () => keys.every((key) => cluster.ownerOf(key) === "b"), 10_000);
    const [first, ...rest] = promoted.map((key) => key.slice(0, key.indexOf("/")));
    // The first one asked when nothing waited yet.
    expect(["guest", "room", "surgery"]).toContain(first);
    const kinds = rest.filter((name) => name !== first);
    expect(rest).toEqual([...rest].sort((a, b) => ["surgery", "room", "guest"].indexOf(a) - ["surgery", "room", "guest"].indexOf(b)));
    expect(kinds.length).toBeGreaterThan(3);
  });

  it("take no more memory of a node than they may, and find room elsewhere", async () => {
    const cluster = new SimCluster({
      seed: 3,
      nodes: ["a", "b", "c"],
      definitions: [kind("room", "normal", 30_000)],
      limits: { maxCopyBytes: 100_000, maxClientFrameBytes: 65_536 },
    });
    await cluster.start();
    const keys = Array.from({ length: 12 }, (_, i) => `room/${i}`);
    await fill(cluster, keys, 1);
    await cluster.clock.run(10_000);
    const bytes = (id: string) => cluster.node(id).runtime?.host?.copyBytes ?? 0;
    for (const id of ["b", "c"]) {
      expect(bytes(id)).toBeGreaterThanOrEqual(100_000);
      expect(bytes(id)).toBeLessThan(135_000);
    }
    expect(copiesOf(cluster, keys).filter(({ length }) => length === 1)).toHaveLength(8);
    // What a copy takes follows it, and is given back with it.
    const key = keys.find((each) => cluster.slot("a", each)?.cas.record?.inSync.length === 1) ?? "";
    const holder = nodeIdOf(cluster.slot("a", key)?.cas.record?.inSync[0] ?? "");
    const before = bytes(holder);
    const client = await cluster.until(cluster.connect(key, ["a"]));
    const grow = (client.call as { grow?: () => Promise<unknown> }).grow;
    for (let i = 0; i < 3; i++) await cluster.until(grow?.() ?? Promise.reject(new Error("no such call")));
    expect(bytes(holder) - before).toBeGreaterThan(40_000);
    await cluster.until(cluster.node("a").runtime?.move(key, holder) ?? Promise.reject(new Error("a is down")));
    expect(bytes(holder)).toBeLessThan(before);
  });
});
