import { describe, expect, it } from "vitest";
import { asDefinition, type Journal, journalSession, Witness } from "./journal-session.js";
import { SimCluster } from "./sim-cluster.js";

const KEY = "journal/one";
const IDS = ["a", "b", "c"];
const INTERVAL_MS = 500;

/** An `eventual` journal at node `a`, kept in the store, with clients at all nodes. */
async function open(strategy: "snapshot" | "hybrid") {
  const cluster = new SimCluster({
    seed: 1,
    nodes: IDS,
    definitions: [{ ...asDefinition(journalSession("eventual")), strategy }],
    limits: {
      leaseTtlMs: 2_000,
      directoryTimeoutMs: 400,
      peerTimeoutMs: 1_000,
      snapshotIntervalMs: INTERVAL_MS,
      baseIntervalMs: INTERVAL_MS,
    },
    clientLimits: { reconnectMaxMs: 300 },
  });
  await cluster.start();
  const witnesses: Witness[] = [];
  for (const [i, first] of IDS.entries()) {
    const client = await cluster.until(cluster.connect<Journal>(KEY, [first, ...IDS.filter((id) => id !== first)]));
    witnesses.push(new Witness(`w${i}`, client));
  }
  await cluster.clock.run(3_000); // those that are not at the owner have switched to it
  const say = () => cluster.until(Promise.all(witnesses.map((witness) => witness.say())), 20_000);
  const dieAll = async () => {
    for (const id of IDS) cluster.crash(id);
    for (const id of IDS) await cluster.startNode(id);
    await cluster.untilTrue("somebody owns it", () => cluster.ownerOf(KEY) !== null, 20_000);
  };
  const read = async () => cluster.until((witnesses[0] as Witness).client.call.read(), 20_000);
  return { cluster, witnesses, say, dieAll, read };
}

describe("a session with the strategy snapshot", () => {
  it("is written at an interval while it changes, and not while it does not; nothing waits for that", async () => {
    const { cluster, say } = await open("snapshot");
    expect(await cluster.record(KEY)).toMatchObject({ strategy: "snapshot", stored: false, inSync: [] });
    let bases = 0;
    cluster.store.intercept = (_node, request) => {
      if (request === "putBase") bases++;
      if (request === "append") throw new Error("there is no log");
      return undefined;
    };
    for (const until = cluster.clock.now() + INTERVAL_MS * 4; cluster.clock.now() < until; ) await say();
    expect(bases).toBeGreaterThanOrEqual(3);
    expect(bases).toBeLessThanOrEqual(5);
    await cluster.clock.run(INTERVAL_MS * 2);
    const { bases: kept } = cluster.store.kept(KEY);
    expect(kept.at(-1)).toBe(cluster.slot("a", KEY)?.cell?.version);
    bases = 0;
    await cluster.clock.run(INTERVAL_MS * 10);
    expect(bases).toBe(0);
  });

  it("says for how long at most the store has lacked something", async () => {
    const { cluster, say } = await open("snapshot");
    const behindMs = () => cluster.slot(cluster.ownerOf(KEY) ?? "", KEY)?.owner?.store.behindMs;
    await cluster.clock.run(INTERVAL_MS * 2);
    expect(behindMs()).toBe(0);
    const from = cluster.clock.now();
    await say();
    await cluster.clock.run(INTERVAL_MS / 5);
    expect(behindMs()).toBeGreaterThanOrEqual(INTERVAL_MS / 5);
    expect(behindMs()).toBeLessThanOrEqual(cluster.clock.now() - from);
    await cluster.clock.run(INTERVAL_MS * 2);
    expect(behindMs()).toBe(0);
    // A turn that comes while a snapshot is written is not in it.
    cluster.node(cluster.ownerOf(KEY) ?? "").storeFaults.delayMs = 100;
    await say();
    await cluster.clock.run(INTERVAL_MS + 20);
    await say();
    const late = cluster.clock.now();
    await cluster.clock.run(250);
    expect(behindMs()).toBeGreaterThanOrEqual(cluster.clock.now() - late);
    expect(behindMs()).toBeLessThan(INTERVAL_MS + 50);
  });

  it("loses nothing when all nodes die after its last change was written", async () => {
    const { cluster, witnesses, say, dieAll, read } = await open("snapshot");
    await say();
    await cluster.clock.run(INTERVAL_MS * 2);
    await dieAll();
    await say();
    expect(witnesses.flatMap(({ resets }) => resets)).toEqual([]);
    expect((await read()).lines).toHaveLength(6);
    expect((await read()).woken.at(-1)?.reason).toBe("restored");
  });

  it.each(["snapshot", "hybrid"] as const)(
    "tells clients, the application and the node what was not written yet (%s)",
    async (strategy) => {
      const { cluster, witnesses, say, dieAll, read } = await open(strategy);
      await say();
      await cluster.clock.run(INTERVAL_MS * 2);
      for (const id of IDS) cluster.node(id).storeFaults.down = true;
      for (let i = 0; i < 3; i++) await say(); // nothing waits for the store
      await dieAll();
      await cluster.untilTrue("every client knows", () => witnesses.every(({ resets }) => resets.length > 0), 20_000);
      expect(witnesses.map(({ resets }) => resets[0])).toMatchObject(witnesses.map(() => ({ reason: "E_TURNS_LOST", lostInputs: 3 })));
      expect(cluster.incidents.map(({ code }) => code)).toContain("E_TURNS_LOST");
      expect(cluster.losses).toHaveLength(witnesses.length);
      await say();
      const { lines, woken } = await read();
      expect(lines).toHaveLength(6);
      expect(woken.at(-1)).toMatchObject({ reason: "restored" });
      expect(woken.at(-1)?.stalenessMs).toBeGreaterThan(0);
      for (const witness of witnesses) expect(witness.check(lines)).toEqual([]);
    },
  );

  it("moves through memory with everything that was not written yet", async () => {
    const { cluster, witnesses, say, read } = await open("snapshot");
    for (const id of IDS) cluster.node(id).storeFaults.down = true;
    await say();
    await cluster.until(cluster.node("a").runtime?.move(KEY, "b") ?? Promise.reject(new Error("a is down")), 5_000);
    await say();
    expect(cluster.ownerOf(KEY)).toBe("b");
    expect((await read()).lines).toHaveLength(6);
    expect(witnesses.flatMap(({ resets }) => resets)).toEqual([]);
    for (const id of IDS) cluster.node(id).storeFaults.down = false;
    await cluster.clock.run(INTERVAL_MS * 40);
    expect(cluster.store.kept(KEY).bases.at(-1)).toBe(cluster.slot("b", KEY)?.cell?.version);
    expect(await cluster.record(KEY)).toMatchObject({ strategy: "snapshot", stored: false, inSync: [] });
  });
});
