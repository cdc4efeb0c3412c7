import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { watchMembers } from "./members.js";
import { Stage, type StageOptions } from "./nasty-stage.js";

const HYBRID = { ...counter, strategy: "hybrid" as const };
const IDS = ["a", "b", "c"];
const PATIENCE_MS = 300;

async function open(options: StageOptions = {}): Promise<Stage> {
  const { limits, ...rest } = options;
  const stage = await Stage.open({
    definitions: [HYBRID],
    ...rest,
    limits: { standbys: 0, baseIntervalMs: 200, storeTimeoutMs: 200, storePatienceMs: PATIENCE_MS, ...limits },
  });
  watchMembers(stage, { mayBeAlone: true });
  return stage;
}

const known = (stage: Stage) => stage.cluster.directory.records.get(stage.key);
const codes = (stage: Stage) => stage.cluster.incidents.map(({ code }) => code);
const storeOf = (stage: Stage, id: string) => stage.cluster.slot(id, stage.key)?.owner?.store;
const allAnswered = (stage: Stage) => stage.talkers.every(({ sent, answered }) => sent === answered);

function storeIs(stage: Stage, down: boolean): void {
  for (const { storeFaults } of stage.cluster.nodes.values()) storeFaults.down = down;
}

/** Until the session goes on over a copy in memory. */
async function leave(stage: Stage): Promise<void> {
  storeIs(stage, true);
  await stage.until("the store is left", () => known(stage)?.stored === false, 5_000, true);
  await stage.until("it goes on", () => allAnswered(stage), 1_000);
}

describe("a hybrid session under strong whose store does not answer", () => {
  it("goes on over a copy in memory after its patience, and comes back to the store when that answers", async () => {
    const stage = await open();
    await stage.run(100, { talking: true });
    const left = stage.cluster.clock.now();
    await leave(stage);
    expect(stage.cluster.clock.now() - left).toBeLessThan(PATIENCE_MS * 2 + 500);
    expect(known(stage)).toMatchObject({ strategy: "hybrid", stored: false, owner: "a#1" });
    expect(known(stage)?.inSync).toHaveLength(1);
    expect(codes(stage)).toContain("E_STORE_AWAY");
    expect(storeOf(stage, "a")?.state).toBe("away");
    await stage.run(500, { talking: true });
    storeIs(stage, false);
    await stage.until("the store is in-sync again", () => known(stage)?.stored === true, 5_000, true);
    await stage.until("no copy is left over", () => known(stage)?.inSync.length === 0, 2_000, true);
    expect(storeOf(stage, "a")?.state).not.toBe("away");
    for (const id of IDS) stage.die(id);
    await stage.run(10);
    for (const id of IDS) await stage.restart(id);
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });

  it("goes on at the copy when its node dies then, without the store", async () => {
    const stage = await open();
    await leave(stage);
    stage.cluster.crash("a");
    await stage.until("another node owns it", () => (stage.cluster.ownerOf(stage.key) ?? "a") !== "a", 20_000, true);
    await stage.until("it has a copy again", () => known(stage)?.inSync.length === 1, 3_000, true);
    await stage.until("every message is answered", () => allAnswered(stage), 3_000);
    storeIs(stage, false);
    await stage.until("the store is in-sync again", () => known(stage)?.stored === true, 5_000, true);
    expect(await stage.settle()).toEqual([]);
    expect(codes(stage)).not.toContain("E_TURNS_LOST");
  });

  it("comes back by a base when its changes are not at hand any more, also when nothing more happens", async () => {
    const stage = await open({ limits: { maxDeltaLogBytes: 4_096 } });
    await leave(stage);
    await stage.run(1_000, { talking: true });
    await stage.until("every message is answered", () => allAnswered(stage), 1_000);
    storeIs(stage, false);
    await stage.until("the store is in-sync again", () => known(stage)?.stored === true, 10_000);
    expect(await stage.settle()).toEqual([]);
  });

  it("does not lose its patience again at every node that it moves to", async () => {
    const stage = await open({ limits: { storePatienceMs: 2_000 } });
    storeIs(stage, true);
    await stage.until("the store is left", () => known(stage)?.stored === false, 10_000, true);
    for (const [from, to] of [
      ["a", "b"],
      ["b", "c"],
    ] as const) {
      await stage.until("every message is answered", () => allAnswered(stage), 3_000);
      const move = stage.move(from, to);
      await stage.until("the move has ended", () => move.end !== undefined, 5_000, true);
      expect(move.end).toEqual({ moved: true });
      await stage.until("every message is answered", () => allAnswered(stage), 500);
    }
    storeIs(stage, false);
    expect(await stage.settle()).toEqual([]);
  });

  it("waits, bounded and by name, while there is no copy either", async () => {
    const stage = await open({ limits: { maxUnreleasedTurns: 8 } });
    for (const id of ["b", "c"]) void stage.cluster.node(id).runtime?.cordon(true);
    await stage.cluster.until(stage.talkers[0]?.client.call.startTicking() ?? Promise.reject(new Error("nobody talks")));
    storeIs(stage, true);
    await stage.run(1_000, { talking: true, stepMs: 20 });
    const version = () => stage.cluster.slot("a", stage.key)?.cell?.version ?? 0;
    const before = version();
    await stage.run(1_000);
    expect(version()).toBe(before);
    expect(codes(stage)).toContain("E_RELEASE_STALLED");
    expect(known(stage)).toMatchObject({ stored: true, inSync: [] });
    storeIs(stage, false);
    await stage.until("every message is answered", () => allAnswered(stage), 5_000);
    expect(version()).toBeGreaterThan(before + 8);
    expect(await stage.settle()).toEqual([]);
  });

  it("waits for the store again when its last copy is lost before the store is back", async () => {
    const stage = await open({ nodes: ["a", "b"], talkers: { ann: "a" } });
    await leave(stage);
    stage.cluster.crash("b");
    await stage.until("the copy is dropped", () => known(stage)?.inSync.length === 0, 10_000);
    for (const talker of stage.talkers) stage.say(talker);
    await stage.run(1_000);
    expect(allAnswered(stage)).toBe(false);
    storeIs(stage, false);
    await stage.until("the store is in-sync again", () => known(stage)?.stored === true, 5_000);
    expect(allAnswered(stage)).toBe(true);
    await stage.restart("b");
    expect(await stage.settle()).toEqual([]);
  });

  it.each([1, 2, 3, 4])("loses nothing when its node or the copy dies at the write number %i of leaving and coming back", async (nth) => {
    for (const who of ["a", "b", "c"]) {
      for (const fate of ["slow", "lost", "unanswered"] as const) {
        const stage = await open({ seed: nth });
        let count = 0;
        let dead = false;
        stage.cluster.node("a").directory.intercept = () => {
          count++;
          if (dead || count < nth) return undefined;
          dead = true;
          stage.die(who);
          return fate === "lost" ? { fate } : { fate, extraMs: 1 };
        };
        storeIs(stage, true);
        await stage.run(1_200, { talking: true, stepMs: 20 });
        storeIs(stage, false);
        await stage.run(1_500, { talking: true, stepMs: 20 });
        for (const id of IDS) if (stage.cluster.node(id).runtime === null) await stage.restart(id);
        expect(await stage.settle()).toEqual([]);
        expect(codes(stage)).not.toContain("E_SESSION_LOST");
        expect(codes(stage)).not.toContain("E_TURNS_LOST");
      }
    }
  });
});
