import { defineSession } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Stage, type StageOptions } from "./nasty-stage.js";

const HYBRID = { ...counter, strategy: "hybrid" as const };
const IDS = ["a", "b", "c"];

function open(options: StageOptions = {}): Promise<Stage> {
  const { limits, ...rest } = options;
  return Stage.open({ definitions: [HYBRID], ...rest, limits: { standbys: 0, baseIntervalMs: 200, storeTimeoutMs: 300, ...limits } });
}

const store = (stage: Stage) => stage.cluster.store;
const record = (stage: Stage) => stage.cluster.record(stage.key);
const codes = (stage: Stage) => stage.cluster.incidents.map(({ code }) => code);

/** Every process dies at this very moment. */
function dieAll(stage: Stage): void {
  for (const id of IDS) stage.die(id);
}

async function restartAll(stage: Stage): Promise<void> {
  await stage.run(10);
  for (const id of IDS) if (stage.cluster.node(id).runtime === null) await stage.restart(id);
}

describe("a hybrid session under strong", () => {
  it("is in-sync in the store from its first turn on, and has no copy in memory", async () => {
    const stage = await open();
    await stage.run(300, { talking: true });
    expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true, inSync: [], epoch: 1 });
    const { bases, logTo } = store(stage).kept(stage.key);
    expect(bases.length).toBeGreaterThan(0);
    expect(logTo).toBeGreaterThan(0);
    expect(await stage.settle()).toEqual([]);
  });

  it("releases nothing while the store is away, and all of it afterwards", async () => {
    const stage = await open();
    await stage.run(100); // what was said is answered
    for (const id of IDS) stage.cluster.node(id).storeFaults.down = true;
    const before = stage.talkers.map(({ answered }) => answered);
    for (const talker of stage.talkers) stage.say(talker);
    await stage.run(1_000);
    expect(stage.talkers.map(({ answered }) => answered)).toEqual(before);
    expect(codes(stage)).toContain("E_STORE_UNAVAILABLE");
    for (const id of IDS) stage.cluster.node(id).storeFaults.down = false;
    expect(await stage.settle()).toEqual([]);
  });

  it("waits for room in the store and goes on when there is some", async () => {
    const stage = await open();
    store(stage).full = true;
    await stage.run(500, { talking: true });
    expect(codes(stage)).toContain("E_STORE_FULL");
    store(stage).full = false;
    expect(await stage.settle()).toEqual([]);
  });

  it("is restored from the store when its only node dies", async () => {
    const stage = await open();
    await stage.run(300, { talking: true });
    stage.cluster.crash("a");
    await stage.until("another node owns it", () => (stage.cluster.ownerOf(stage.key) ?? "a") !== "a", 20_000, true);
    expect(await stage.settle()).toEqual([]);
    expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true, inSync: [] });
    expect(codes(stage)).not.toContain("E_SESSION_LOST");
    expect(stage.talkers.every(({ client }) => client.recovered)).toBe(true);
  });

  it("comes back when all nodes were killed at once", async () => {
    const stage = await open();
    for (let round = 0; round < 3; round++) {
      await stage.run(100 + 77 * round, { talking: true });
      dieAll(stage);
      await restartAll(stage);
      await stage.until("somebody owns it", () => stage.cluster.ownerOf(stage.key) !== null, 20_000, true);
    }
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_SESSION_LOST");
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });

  it.each(["fence", "putBase", "append", "prune"] as const)(
    "loses nothing that was answered when all die at a %s, whatever becomes of it",
    async (what) => {
      for (const [nth, verdict] of [
        [1, undefined],
        [2, "lostRequest"],
        [3, "lostAnswer"],
      ] as const) {
        const stage = await open({ seed: nth });
        let count = 0;
        let dead = false;
        store(stage).intercept = (_node, request) => {
          if (dead || request !== what) return undefined;
          count++;
          if (count < nth) return undefined;
          dead = true;
          dieAll(stage);
          return verdict;
        };
        if (what === "fence") stage.move("a", "b");
        for (let i = 0; i < 20 && !dead; i++) {
          await stage.run(100, { talking: true });
          const owner = stage.cluster.ownerOf(stage.key);
          if (what === "fence" && owner !== null) stage.move(owner, owner === "b" ? "c" : "b");
        }
        expect(dead).toBe(true);
        await restartAll(stage);
        expect(await stage.settle()).toEqual([]);
        expect(codes(stage)).not.toContain("E_SESSION_LOST");
      }
    },
  );

  it("moves through memory, and its store stays in-sync", async () => {
    const stage = await open();
    for (const [from, to] of [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ] as const) {
      const move = stage.move(from, to);
      await stage.until("the move has ended", () => move.end !== undefined, 5_000, true);
      expect(move.end).toEqual({ moved: true });
      await stage.run(50, { talking: true });
      expect((await record(stage))?.stored).toBe(true);
    }
    const { bases } = store(stage).kept(stage.key);
    expect(bases.length).toBeLessThanOrEqual(stage.cluster.limits.retainedBases);
    expect(await stage.settle()).toEqual([]);
    expect(await record(stage)).toMatchObject({ inSync: [], stored: true });
  });

  it("goes on from the log where it was at the owner before: a move writes no snapshot", async () => {
    const stage = await open({ limits: { baseIntervalMs: 60_000 } });
    await stage.run(100, { talking: true });
    let bases = 0;
    store(stage).intercept = (_node, request) => {
      if (request === "putBase") bases++;
      return undefined;
    };
    stage.move("a", "b");
    await stage.run(300, { talking: true });
    expect(stage.cluster.ownerOf(stage.key)).toBe("b");
    expect(bases).toBe(0);
    expect(await stage.settle()).toEqual([]);
  });

  it("loses nothing when both nodes of a move die at any of its messages or writes", async () => {
    for (const at of ["offer", "accept", "grant", "taken", "released"] as const) {
      for (const who of [["a"], ["b"], ["a", "b"], IDS]) {
        const stage = await open({ seed: 3 });
        const reached = stage.taps.onFrame(at, () => {
          for (const id of who) stage.die(id);
          return undefined;
        });
        stage.move("a", "b");
        await stage.run(400, { talking: true });
        expect(reached.times).toBe(1);
        await restartAll(stage);
        expect(await stage.settle()).toEqual([]);
        expect(codes(stage)).not.toContain("E_SESSION_LOST");
        expect(codes(stage)).not.toContain("E_TURNS_LOST");
      }
    }
  });

  it("fences an owner that was paused through its lease", async () => {
    const stage = await open();
    await stage.run(100, { talking: true });
    stage.cluster.node("a").clock.pause();
    await stage.until("another node owns it", () => (stage.cluster.ownerOf(stage.key) ?? "a") !== "a", 20_000, true);
    stage.cluster.node("a").clock.wake();
    await stage.run(500, { talking: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("never takes an ended session for the one that begins in its place", async () => {
    const stage = await open({ talkers: { ann: "b" } });
    await stage.run(100, { talking: true });
    const [ann] = stage.talkers;
    if (ann === undefined) throw new Error("nobody talks");
    store(stage).intercept = (_node, request) => (request === "remove" || request === "append" ? "lostRequest" : undefined);
    await stage.cluster.until(ann.client.call.end().catch(() => undefined));
    await stage.run(500); // the store has never heard of its end
    expect(store(stage).kept(stage.key).bases.length).toBeGreaterThan(0);
    let dead = false;
    store(stage).intercept = (node, request) => {
      if (request !== "putBase" || dead) return undefined;
      dead = true;
      stage.die(node);
      return "lostRequest";
    };
    const opening = stage.cluster.connect<typeof counter>(stage.key, ["a", "b", "c"]);
    const client = await stage.cluster.until(opening, 60_000);
    expect(dead).toBe(true);
    expect(await stage.cluster.until(client.call.read())).toMatchObject({ total: 0, seen: {} });
  });

  it.each([
    [0, "at each interval in which something changed", 5, 100],
    [10_000, "once its log is that much larger than the last one", 0, 2],
  ] as const)("at %i %% takes a snapshot %s, also after a restore", async (baseLogPercent, _, least, most) => {
    const stage = await open({ limits: { baseLogPercent } });
    let bases = 0;
    store(stage).intercept = (_node, request) => {
      if (request === "putBase") bases++;
      return undefined;
    };
    for (let life = 0; life < 2; life++) {
      bases = 0;
      await stage.run(1_500, { talking: true });
      expect(bases).toBeGreaterThanOrEqual(least);
      expect(bases).toBeLessThanOrEqual(most);
      dieAll(stage);
      await restartAll(stage);
      await stage.until("somebody owns it", () => stage.cluster.ownerOf(stage.key) !== null, 20_000, true);
    }
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });

  it("goes on from an older snapshot and its log when the newest is damaged, and loses nothing", async () => {
    const stage = await open();
    await stage.run(900, { talking: true });
    expect(store(stage).kept(stage.key).bases.length).toBe(2);
    dieAll(stage);
    await stage.run(10);
    store(stage).damageBase(stage.key);
    await restartAll(stage);
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });

  it("tells clients and the node what a torn log has lost", async () => {
    const stage = await open({ limits: { baseIntervalMs: 60_000 } });
    await stage.run(300, { talking: true });
    await stage.run(500);
    dieAll(stage);
    await stage.run(10);
    store(stage).tearLog(stage.key);
    await restartAll(stage);
    await stage.until("somebody owns it", () => stage.cluster.ownerOf(stage.key) !== null, 20_000);
    await stage.run(3_000);
    expect(codes(stage)).toContain("E_TURNS_LOST");
    expect(stage.cluster.losses.length + stage.talkers.flatMap(({ problems }) => problems).length).toBeGreaterThan(0);
  });

  it("begins anew, and says so, when nothing in the store can be read", async () => {
    const stage = await open();
    await stage.run(100, { talking: true });
    dieAll(stage);
    await stage.run(10);
    for (let i = 0; i < 3; i++) store(stage).damageBase(stage.key);
    await restartAll(stage);
    await stage.until("somebody owns it", () => stage.cluster.ownerOf(stage.key) !== null, 20_000);
    await stage.run(1_000);
    expect(codes(stage)).toContain("E_STORE_DAMAGED");
    expect(codes(stage)).toContain("E_SESSION_LOST");
  });
});

describe("strategies", () => {
  it("that need a store are refused where there is none, and strong snapshots always", () => {
    const spec = { name: "x", version: 1, state: () => ({}), actions: {} };
    expect(() => defineSession({ ...spec, strategy: "snapshot", durability: "strong" })).toThrow(
      expect.objectContaining({ code: "E_DEFINITION_INVALID" }),
    );
    expect(defineSession({ ...spec, strategy: "snapshot" }).durability).toBe("eventual");
    expect(defineSession({ ...spec, strategy: "hybrid" }).durability).toBe("strong");
  });
});
