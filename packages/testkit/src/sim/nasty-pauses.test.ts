import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Gate, nastySession } from "./nasty-session.js";
import { Stage } from "./nasty-stage.js";
import { SimCluster } from "./sim-cluster.js";
import type { Talker } from "./talker.js";

describe("interleaving 16: a node stands still, as by SIGSTOP or a long collection, and wakes", () => {
  const moments = ["offer", "accept", "base", "grant", "taken", "released"] as const;
  const cases = moments.flatMap((type) => ["the source", "the target"].flatMap((who) => [400, 3_000].map((ms) => ({ type, who, ms }))));
  it.each(cases)("$who for $ms ms, when $type is sent", async ({ type, who, ms }) => {
    const stage = await Stage.open({ seed: 301, nodes: ["a", "b", "c", "d"], limits: { standbys: 2 }, talkers: { ann: "a", bob: "d" } });
    const { clock } = stage.cluster.node(who === "the source" ? "a" : stage.target);
    const hit = stage.taps.onFrame(type, () => {
      stage.cluster.clock.schedule(0, () => clock.pause());
      return undefined;
    });
    const move = stage.move("a", stage.target);
    await stage.until("the step was met", () => hit.times > 0, 2_000, true);
    await stage.run(ms, { talking: true, stepMs: 20 });
    clock.wake();
    await stage.run(500, { talking: true, stepMs: 10 });
    // One that slept through its lease is somebody else now, and its own move with it.
    if (ms < 1_000 || who === "the target") await stage.until("the move has ended", () => move.end !== undefined, 40_000);
    expect(await stage.settle({ leftoverMs: 40_000 })).toEqual([]);
    expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
  });

  it("an owner sleeps through its lease in the middle of a turn: on waking the turn comes to nothing, and runs once at the standby", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 302, definitions: [nastySession(gate)], talkers: { ann: "a" } });
    const { cluster } = stage;
    const calls = (stage.talkers[0] as Talker).client.call as unknown as {
      slow(said: { who: string; n: number }): Promise<unknown>;
      read(): Promise<{ fired: string[]; seen: Record<string, number[]> }>;
    };
    gate.close();
    const slow = calls.slow({ who: "slow", n: 1 });
    await stage.run(20);
    expect(gate.waiting).toBe(1);
    const { clock } = cluster.node("a");
    const before = stage.refOf("a");
    clock.pause();
    await stage.until("the standby took over", () => cluster.ownerOf(stage.key) === stage.standby, 5_000);
    gate.open(); // what the handler waited for has come while its process stood still
    clock.wake();
    await stage.until("the old owner is somebody else", () => stage.refOf("a") !== before && stage.refOf("a") !== "", 5_000, true);
    await cluster.until(slow);
    const { fired, seen } = await cluster.until(calls.read());
    expect({ fired, slow: seen.slow }).toEqual({ fired: ["slow 1"], slow: [1] });
    expect(await stage.settle()).toEqual([]);
  });

  it("a standby that stands still delays what is released until it is dropped or wakes, and nothing is lost", async () => {
    for (const ms of [600, 4_000]) {
      const stage = await Stage.open({ seed: 303, talkers: { ann: "a" } });
      const { clock } = stage.cluster.node(stage.standby);
      clock.pause();
      const heard = stage.talkers[0]?.answered ?? 0;
      await stage.run(600, { talking: true, stepMs: 20 });
      expect(stage.talkers[0]?.answered).toBeLessThanOrEqual(heard + 2); // what was under way
      await stage.run(ms - 600, { talking: true, stepMs: 50 });
      // Its lease has ended in the long case: it was dropped from the record, and then not waited for any more.
      if (ms > 3_000) expect(stage.talkers[0]?.answered).toBeGreaterThan(heard + 20);
      clock.wake();
      expect(await stage.settle()).toEqual([]);
    }
  });
});

describe("interleaving 18, restate 1.6.0: renewals", () => {
  it("count from their sending: with answers that take most of a lease nobody acts past it", async () => {
    const stage = await Stage.open({ seed: 311 });
    const { faults } = stage.cluster.node("a").directory;
    for (const delayMs of [200, 500, 900, 1_200]) {
      faults.delayMs = delayMs;
      await stage.run(3_000, { talking: true, stepMs: 50 }); // the stage watches leases at every step
    }
    faults.delayMs = 1;
    expect(await stage.settle()).toEqual([]);
  });

  it("are not starved by a node with much to say: no lease is lost while 40 sessions move to and fro", async () => {
    const cluster = new SimCluster({ seed: 312, nodes: ["a", "b"], definitions: [counter], limits: { leaseTtlMs: 1_000 } });
    await cluster.start();
    const keys = Array.from({ length: 40 }, (_, i) => `counter/s${i}`);
    for (const key of keys) await cluster.until(cluster.connect(key, ["a"]));
    const refs = ["a", "b"].map((id) => cluster.node(id).runtime?.self);
    for (let round = 0; round < 6; round++) {
      const [from, to] = round % 2 === 0 ? ["a", "b"] : ["b", "a"];
      await cluster.until(Promise.all(keys.map((key) => cluster.node(from as string).runtime?.move(key, to as string))));
      await cluster.clock.run(300);
    }
    expect(["a", "b"].map((id) => cluster.node(id).runtime?.self)).toEqual(refs);
    for (const key of keys) expect(cluster.ownerOf(key)).toBe("a");
  });
});

describe("orleans#10573, #10044: stopping while sessions move", () => {
  it("an evacuation moves everything and leaves nothing, with clients talking", async () => {
    const stage = await Stage.open({ seed: 321, nodes: ["a", "b", "c", "d"] });
    const drained = stage.cluster.node("a").runtime?.drain({ deadlineMs: 10_000 });
    let report: Awaited<NonNullable<typeof drained>> | undefined;
    void drained?.then((done) => {
      report = done;
    });
    await stage.until("it is drained", () => report !== undefined, 11_000, true);
    expect(report).toMatchObject({ moved: 1, left: [] });
    await stage.cluster.until(stage.cluster.node("a").runtime?.stop() ?? Promise.resolve());
    stage.cluster.crash("a");
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
  });

  it.each(["offer", "base", "grant", "taken", "released"] as const)(
    "an ordinary stop of the source overtakes a move at %s",
    async (type) => {
      const stage = await Stage.open({ seed: 322, nodes: ["a", "b", "c", "d"] });
      const hit = stage.taps.onFrame(type, () => {
        stage.cluster.clock.schedule(0, () => void stage.cluster.node("a").runtime?.stop());
        return undefined;
      });
      stage.move("a", stage.target);
      await stage.until("the step was met", () => hit.times > 0, 2_000, true);
      await stage.run(200, { talking: true });
      stage.cluster.crash("a"); // what has stopped is gone
      expect(await stage.settle()).toEqual([]);
      expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
    },
  );

  it("two moves of one session at once: the second is refused by name, the first is not disturbed", async () => {
    const stage = await Stage.open({ seed: 323 });
    const first = stage.move("a", stage.target);
    const second = stage.move("a", stage.standby);
    await stage.until("both have ended", () => first.end !== undefined && second.end !== undefined, 2_000, true);
    expect(first.end).toEqual({ moved: true });
    expect(second.end).toMatchObject({ moved: false, code: "E_MOVE_BUSY" });
    expect(await stage.settle()).toEqual([]);
  });

  it.each(["itself", "an unknown node", "a node that does not own it"])("a move to or from %s is refused by name", async (what) => {
    const stage = await Stage.open({ seed: 324 });
    const move =
      what === "itself"
        ? stage.move("a", "a")
        : what === "an unknown node"
          ? stage.move("a", "nobody")
          : stage.move(stage.standby, stage.target);
    await stage.until("it has ended", () => move.end !== undefined, 1_000, true);
    const code = { itself: "E_MOVE_REFUSED", "an unknown node": "E_NODE_UNKNOWN", "a node that does not own it": "E_NOT_OWNER" }[what];
    expect(move.end).toMatchObject({ moved: false, code });
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 25: a change of members, a cut and a crash in the same moment", () => {
  it.each([1, 2, 3])("variant %i", async (variant) => {
    const stage = await Stage.open({ seed: 330 + variant, nodes: ["a", "b", "c", "d"], limits: { standbys: 2 } });
    const { cluster, target, standby } = stage;
    const hit = stage.taps.onFrame("grant", () => {
      cluster.network.cut(cluster.node(standby).address, "*");
      stage.die(variant === 1 ? "a" : variant === 2 ? target : standby);
      cluster.clock.schedule(1, () => void stage.restart("late").catch(() => undefined));
      return undefined;
    });
    stage.move("a", target);
    await stage.until("it happened", () => hit.times > 0, 2_000, true);
    await stage.run(3_500, { talking: true, stepMs: 50 });
    cluster.network.heal();
    expect(await stage.settle()).toEqual([]);
    expect(cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
  });
});
