import type { Strategy } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { asDefinition, type Journal, journalSession, Witness } from "./journal-session.js";
import { watchMembers } from "./members.js";
import { Stage, type StageOptions } from "./nasty-stage.js";
import { SimCluster } from "./sim-cluster.js";
import type { StoreRequest } from "./virtual-session-store.js";

const IDS = ["a", "b", "c"];
const LIMITS = {
  standbys: 1,
  baseIntervalMs: 200,
  storeTimeoutMs: 300,
  strategyTimeoutMs: 3_000,
  storePatienceMs: 400,
  copyTimeoutMs: 1_000,
};

function open(strategy: "replica" | "hybrid", options: StageOptions = {}): Promise<Stage> {
  const { limits, ...rest } = options;
  const standbys = strategy === "hybrid" ? { standbys: 0 } : {};
  return Stage.open({ definitions: [{ ...counter, strategy }], ...rest, limits: { ...LIMITS, ...standbys, ...limits } });
}

type Ended = { end: { changed: boolean } | { code: string } | undefined };

function change(stage: Stage, at: string, to: Strategy): Ended {
  const result: Ended = { end: undefined };
  const { runtime } = stage.cluster.node(at);
  if (runtime === null) throw new Error(`${at} is down`);
  runtime.setStrategy(stage.key, to).then(
    ({ changed }) => {
      result.end = { changed };
    },
    ({ code }: { code: string }) => {
      result.end = { code };
    },
  );
  return result;
}

const record = (stage: Stage) => stage.cluster.record(stage.key);
const codes = (stage: Stage) => stage.cluster.incidents.map(({ code }) => code);

async function restartAll(stage: Stage): Promise<void> {
  await stage.run(10);
  for (const id of IDS) if (stage.cluster.node(id).runtime === null) await stage.restart(id);
}

describe("the strategy of a live session under strong", () => {
  it("goes from copies in memory to the store and back, to and fro, while clients talk", async () => {
    const stage = await open("replica");
    watchMembers(stage);
    for (let round = 0; round < 3; round++) {
      const there = change(stage, "a", "hybrid");
      await stage.until("it is kept in the store", () => there.end !== undefined, 3_000, true);
      expect(there.end).toEqual({ changed: true });
      await stage.run(300, { talking: true });
      expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true, inSync: [], owner: "a#1", epoch: 1 });
      const back = change(stage, "a", "replica");
      await stage.until("it is kept in memory", () => back.end !== undefined, 3_000, true);
      expect(back.end).toEqual({ changed: true });
      await stage.run(100, { talking: true });
      const known = await record(stage);
      expect(known).toMatchObject({ strategy: "replica", stored: false });
      expect(known?.inSync).toHaveLength(1);
      expect(stage.cluster.slot("a", stage.key)?.owner?.store.state).toBe("none");
    }
    expect(await stage.settle()).toEqual([]);
  });

  it("comes back from the store when all die after it came in, and begins anew with nothing said when it was not there", async () => {
    const stage = await open("replica");
    const there = change(stage, "a", "hybrid");
    await stage.until("it is kept in the store", () => there.end !== undefined, 3_000, true);
    await stage.run(100, { talking: true });
    for (const id of IDS) stage.die(id);
    await restartAll(stage);
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_SESSION_LOST");
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
    expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true });
  });

  it("says that nothing is to be done, refuses what cannot be, and changes one thing at a time", async () => {
    const stage = await open("replica");
    const [same, refused] = [change(stage, "a", "replica"), change(stage, "a", "snapshot")];
    await stage.run(20);
    expect(same.end).toEqual({ changed: false });
    expect(refused.end).toEqual({ code: "E_STRATEGY_INVALID" });
    stage.cluster.node("a").storeFaults.delayMs = 50;
    const [first, second] = [change(stage, "a", "hybrid"), change(stage, "a", "replica")];
    await stage.run(20);
    expect(first.end).toEqual({ code: "E_STRATEGY_FAILED" });
    expect(second.end).toEqual({ changed: false });
    expect(await stage.settle()).toEqual([]);
    const elsewhere = change(stage, "b", "hybrid");
    await stage.run(20);
    expect(elsewhere.end).toEqual({ code: "E_NOT_OWNER" });
  });

  it("stays in memory, and is not held up for longer than the patience, when the store does not answer", async () => {
    const stage = await open("replica");
    watchMembers(stage);
    let fences = 0;
    stage.cluster.store.intercept = (_node, what) => {
      if (what === "fence") fences++;
      return what === "append" ? "lostRequest" : undefined;
    };
    const there = change(stage, "a", "hybrid");
    await stage.until("the change is over", () => there.end !== undefined, 6_000, true);
    expect(fences).toBeGreaterThan(0);
    expect(there.end).toEqual({ code: "E_STRATEGY_FAILED" });
    await stage.run(50, { talking: true });
    expect(await record(stage)).toMatchObject({ strategy: "replica", stored: false });
    expect(await stage.settle()).toEqual([]);
  });

  it("stays in the store when no other node can hold a copy", async () => {
    const stage = await open("hybrid");
    watchMembers(stage);
    for (const id of ["b", "c"]) void stage.cluster.node(id).runtime?.cordon(true);
    await stage.run(50);
    const back = change(stage, "a", "replica");
    await stage.until("the change is over", () => back.end !== undefined, 6_000, true);
    expect(back.end).toEqual({ code: "E_STRATEGY_FAILED" });
    expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true });
    expect(await stage.settle()).toEqual([]);
  });

  const STEPS: readonly { readonly what: StoreRequest | "write"; readonly nth: number }[] = [
    { what: "fence", nth: 1 },
    { what: "append", nth: 1 },
    { what: "append", nth: 2 },
    { what: "putBase", nth: 1 },
    { what: "write", nth: 1 },
    { what: "write", nth: 2 },
    { what: "write", nth: 3 },
  ];

  it.each(STEPS)(
    "loses nothing when its node, its copy or everybody with the store holding it dies at a $what ($nth)",
    async ({ what, nth }) => {
      for (const [from, to] of [
        ["replica", "hybrid"],
        ["hybrid", "replica"],
      ] as const) {
        for (const who of [["a"], ["a", "b", "c"], ["b"]]) {
          for (const verdict of [undefined, "lostRequest", "lostAnswer"] as const) {
            const stage = await open(from, { seed: nth });
            watchMembers(stage);
            let count = 0;
            let dead = false;
            const step = () => {
              count++;
              if (dead || count < nth) return undefined;
              dead = true;
              for (const id of who) stage.die(id);
              return verdict;
            };
            stage.cluster.store.intercept = (node, request) => (node === "a" && request === what ? step() : undefined);
            if (what === "write")
              stage.cluster.node("a").directory.intercept = () => {
                const told = step();
                if (told === "lostRequest") return { fate: "lost" };
                return told === "lostAnswer" ? { fate: "unanswered", extraMs: 1 } : undefined;
              };
            change(stage, "a", to);
            await stage.run(400, { talking: true });
            stage.cluster.clock.afterTask = null; // whoever died is not replaced at once
            const inMemory = stage.cluster.directory.records.get(stage.key)?.strategy === "replica";
            await restartAll(stage);
            const problems = await stage.settle();
            // Copies in memory are gone with everybody's memory, and are no worse for the change.
            if (inMemory && who.length === IDS.length && dead) expect(codes(stage)).toContain("E_SESSION_LOST");
            else {
              expect(problems).toEqual([]);
              expect(codes(stage)).not.toContain("E_SESSION_LOST");
              expect(codes(stage)).not.toContain("E_TURNS_LOST");
            }
          }
        }
      }
    },
  );

  it("is changed or not, and nothing else, when the session moves in the middle", async () => {
    for (const [from, to] of [
      ["replica", "hybrid"],
      ["hybrid", "replica"],
    ] as const) {
      for (const delayMs of [0, 2, 4, 6, 8, 12, 16]) {
        const stage = await open(from, { seed: delayMs + 1 });
        watchMembers(stage);
        const move = stage.move("a", "b");
        await stage.run(delayMs, { talking: true, stepMs: 1 });
        const asked = stage.cluster.ownerOf(stage.key) === "a" ? change(stage, "a", to) : null;
        await stage.until("both are over", () => move.end !== undefined && (asked === null || asked.end !== undefined), 8_000, true);
        expect(move.end).toEqual({ moved: true });
        await stage.run(300, { talking: true });
        const now = (await record(stage))?.strategy;
        expect(now).toBe(asked?.end !== undefined && "changed" in asked.end ? to : from);
        expect(await stage.settle()).toEqual([]);
      }
    }
  });

  it("never lets its heir go by another strategy than the record has", async () => {
    const stage = await open("hybrid", {
      definitions: [{ ...counter, strategy: "hybrid" as const, standbys: 1 }],
      limits: { standbys: 1 },
    });
    watchMembers(stage);
    let asked: Ended | null = null;
    stage.cluster.node("a").directory.intercept = (_key, draft) => {
      // Right behind PREPARE: nobody has heard of that yet.
      if (draft.heir !== null && asked === null) asked = change(stage, "a", "replica");
      return undefined;
    };
    const move = stage.move("a", stage.target);
    await stage.until("both are over", () => move.end !== undefined && asked?.end !== undefined, 8_000, true);
    expect(move.end).toEqual({ moved: true });
    expect(asked).toEqual({ end: { code: "E_STRATEGY_FAILED" } });
    await stage.run(300, { talking: true });
    expect(await record(stage)).toMatchObject({ strategy: "hybrid", stored: true });
    expect(stage.cluster.slot(stage.target, stage.key)?.owner?.store.state).not.toBe("none");
    expect(await stage.settle()).toEqual([]);
  });

  it("does not read what an earlier stay in the store has left there", async () => {
    const stage = await open("hybrid");
    await stage.run(300, { talking: true });
    const back = change(stage, "a", "replica");
    await stage.until("it is kept in memory", () => back.end !== undefined, 3_000, true);
    await stage.run(300, { talking: true });
    const again = change(stage, "a", "hybrid");
    await stage.until("it is kept in the store again", () => again.end !== undefined, 3_000, true);
    for (const id of IDS) stage.die(id);
    await restartAll(stage);
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });
});

describe("the strategy of a live session under eventual", () => {
  const KEY = "journal/one";

  it("goes through all of them, and each keeps what it promises", async () => {
    const cluster = new SimCluster({
      seed: 1,
      nodes: IDS,
      definitions: [asDefinition(journalSession("eventual"))],
      limits: { leaseTtlMs: 2_000, directoryTimeoutMs: 400, peerTimeoutMs: 1_000, snapshotIntervalMs: 500, baseIntervalMs: 500 },
      clientLimits: { reconnectMaxMs: 300 },
    });
    await cluster.start();
    const client = await cluster.until(cluster.connect<Journal>(KEY, IDS));
    const witness = new Witness("w", client);
    const say = () => cluster.until(witness.say(), 20_000);
    await say();
    let lines = 1;
    const order: Strategy[] = ["hybrid", "snapshot", "replica", "snapshot", "hybrid", "replica"];
    for (const strategy of order) {
      const owner = cluster.ownerOf(KEY) ?? "";
      await cluster.until(cluster.node(owner).runtime?.setStrategy(KEY, strategy) ?? Promise.reject(new Error("down")), 5_000);
      await say();
      lines++;
      await cluster.clock.run(1_500);
      const known = await cluster.record(KEY);
      expect(known).toMatchObject({ strategy, stored: false });
      expect(known?.inSync).toHaveLength(strategy === "replica" ? 1 : 0);
      if (strategy === "replica") cluster.crash(owner);
      else for (const id of IDS) cluster.crash(id);
      for (const id of IDS) if (cluster.node(id).runtime === null) await cluster.startNode(id);
      await cluster.untilTrue("somebody owns it", () => cluster.ownerOf(KEY) !== null, 20_000);
      await say();
      lines++;
    }
    expect(witness.resets).toEqual([]);
    expect((await cluster.until(client.call.read(), 20_000)).lines).toHaveLength(lines);
  });
});
