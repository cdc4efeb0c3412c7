import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";
import type { StoreRequest } from "./virtual-session-store.js";

const IDS = ["a", "b", "c"];
const KEY = "counter/one";
const HYBRID = { ...counter, strategy: "hybrid" as const };
const RETENTION_MS = 20_000;

async function open(definition = HYBRID) {
  const cluster = new SimCluster({
    seed: 1,
    nodes: IDS,
    definitions: [definition],
    limits: {
      leaseTtlMs: 2_000,
      directoryTimeoutMs: 400,
      peerTimeoutMs: 1_000,
      baseIntervalMs: 60_000,
      storeSweepMs: 3_000,
      fenceRetentionMs: RETENTION_MS,
      linkGraceMs: 30_000,
    },
    clientLimits: { reconnectMaxMs: 300 },
  });
  await cluster.start();
  const client = await cluster.until(cluster.connect<typeof counter>(KEY, IDS));
  const add = async (n: number) => {
    for (let i = 0; i < n; i++) await cluster.until(client.call.add({ who: "w", n: i }), 20_000);
  };
  const requests: StoreRequest[] = [];
  cluster.store.intercept = (_node, request) => {
    requests.push(request);
    return undefined;
  };
  const dieAll = async () => {
    for (const id of IDS) cluster.crash(id);
    for (const id of IDS) await cluster.startNode(id);
  };
  return { cluster, client, add, requests, dieAll };
}

describe("a node that stops on purpose", () => {
  it("writes a base of what it owns, so that nothing has to be replayed", async () => {
    const { cluster, add } = await open();
    await add(20);
    const owner = cluster.ownerOf(KEY) ?? "";
    const version = cluster.slot(owner, KEY)?.cell?.version ?? 0;
    expect(cluster.store.kept(KEY).bases.at(-1)).toBeLessThan(version);
    await cluster.until(cluster.node(owner).runtime?.stop() ?? Promise.reject(new Error("down")));
    const { bases, logTo } = cluster.store.kept(KEY);
    expect(bases.at(-1)).toBeGreaterThanOrEqual(Math.max(version, logTo));
    await cluster.untilTrue("another node owns it", () => cluster.ownerOf(KEY) !== null, 20_000);
    await add(1);
  });

  it("loses nothing of what nobody waited for", async () => {
    const { cluster, client, add } = await open({ ...counter, strategy: "snapshot" as const, durability: "eventual" as const } as never);
    await add(20);
    const owner = cluster.ownerOf(KEY) ?? "";
    await cluster.until(cluster.node(owner).runtime?.stop() ?? Promise.reject(new Error("down")));
    for (const id of IDS) cluster.crash(id);
    for (const id of IDS) await cluster.startNode(id);
    expect((await cluster.until(client.call.read(), 20_000)).total).toBe(20);
    expect(client.recovered).toBe(true);
  });

  it("does not wait for a store that does not answer for longer than it may, and says so", async () => {
    const { cluster, add } = await open();
    await add(5);
    const owner = cluster.ownerOf(KEY) ?? "";
    cluster.node(owner).storeFaults.down = true;
    const from = cluster.clock.now();
    await cluster.until(cluster.node(owner).runtime?.stop() ?? Promise.reject(new Error("down")));
    expect(cluster.clock.now() - from).toBeLessThan(cluster.limits.lastBasesMs + 500);
    expect(cluster.incidents.map(({ message }) => message)).toContain("stopped before the last base of 1 sessions was written");
  });
});

describe("a sweep through the store", () => {
  it("restores a session with timers that nobody asks for after everybody died", async () => {
    const { cluster, client, add, dieAll } = await open();
    await add(1);
    await cluster.until(client.call.startTicking());
    client.close();
    await cluster.clock.run(40_000); // its link has ended too
    await dieAll();
    await cluster.untilTrue("somebody owns it", () => cluster.ownerOf(KEY) !== null, 20_000);
    const owner = cluster.ownerOf(KEY) ?? "";
    const version = cluster.slot(owner, KEY)?.cell?.version ?? 0;
    await cluster.clock.run(1_000);
    expect(cluster.slot(owner, KEY)?.cell?.version).toBeGreaterThan(version + 10);
    expect(cluster.incidents.map(({ code }) => code)).not.toContain("E_SESSION_LOST");
  });

  it("restores one whose clients do not come back, until their links have ended, and leaves one alone that has nothing to do", async () => {
    const { cluster, add, dieAll, requests } = await open();
    await add(1);
    cluster.sockets.reception("", false); // its client reaches nobody any more
    await dieAll();
    await cluster.untilTrue("somebody owns it", () => cluster.ownerOf(KEY) !== null, 20_000);
    const links = () => cluster.slot(cluster.ownerOf(KEY) ?? "", KEY)?.cell?.links.size;
    expect(links()).toBe(1);
    await cluster.clock.run(60_000);
    expect(links()).toBe(0);
    await dieAll();
    requests.length = 0;
    await cluster.clock.run(30_000);
    expect(cluster.ownerOf(KEY)).toBeNull();
    expect(requests.filter((request) => request === "read")).toHaveLength(1); // it is looked into once
  });

  it("removes what an ended session has left, and forgets its fence when that is old", async () => {
    const { cluster, client, add, requests } = await open();
    await add(1);
    cluster.store.intercept = (_node, request) => {
      requests.push(request);
      return request === "remove" ? "lostRequest" : undefined;
    };
    await cluster.until(client.call.end().catch(() => undefined));
    await cluster.clock.run(2_000);
    expect(cluster.store.kept(KEY).bases.length).toBeGreaterThan(0);
    cluster.store.intercept = null;
    await cluster.clock.run(15_000);
    expect(cluster.store.kept(KEY)).toMatchObject({ bases: [] });
    expect(cluster.store.contents.sessions()).toContain(KEY);
    await cluster.clock.run(RETENTION_MS + 10_000);
    expect(cluster.store.contents.sessions()).not.toContain(KEY);
  });

  it("removes what a session has left that is kept in memory, once it has gone on to another epoch", async () => {
    const { cluster, add } = await open();
    await add(1);
    const owner = cluster.ownerOf(KEY) ?? "";
    await cluster.until(cluster.node(owner).runtime?.setStrategy(KEY, "replica") ?? Promise.reject(new Error("down")));
    await cluster.clock.run(15_000);
    expect(cluster.store.kept(KEY).bases.length).toBeGreaterThan(0);
    const to = IDS.find((id) => id !== owner) ?? "";
    await cluster.until(cluster.node(owner).runtime?.move(KEY, to) ?? Promise.reject(new Error("down")));
    await cluster.clock.run(15_000);
    expect(cluster.store.kept(KEY).bases).toEqual([]);
    await cluster.until(cluster.node(to).runtime?.setStrategy(KEY, "hybrid") ?? Promise.reject(new Error("down")));
    await cluster.clock.run(15_000);
    expect(cluster.store.kept(KEY).bases.length).toBeGreaterThan(0);
    await add(1);
  });
});
