import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Gate, nastySession } from "./nasty-session.js";
import { Stage } from "./nasty-stage.js";
import { SimCluster } from "./sim-cluster.js";
import { Talker } from "./talker.js";

const KEY = "counter/lives";
const LOST = { copies: 0, extraMs: 0 } as const;

/** What seeds of the simulator found, each reduced to its core. */
describe("found by the simulator", () => {
  it("a base that comes once more, behind deltas that overtook it, does not take a replica back", async () => {
    const stage = await Stage.open({ seed: 1 });
    const owner = stage.cluster.slot("a", stage.key)?.owner;
    if (owner == null) throw new Error("a does not own the session");
    const { version, hash, epoch, stateVersion } = owner;
    const chunk = owner.snapshot().slice();
    await stage.run(60, { talking: true });
    const replica = () => stage.cluster.slot(stage.standby, stage.key)?.cell?.version ?? 0;
    const before = replica();
    expect(before).toBeGreaterThan(version);
    const crc = stage.cluster.node("a").runtime?.host?.crc32(chunk) ?? 0;
    stage.inject(stage.refOf("a"), stage.standby, {
      t: "base",
      session: stage.key,
      epoch,
      version,
      hash,
      stateVersion,
      totalBytes: chunk.length,
      crc,
      offset: 0,
      chunk,
      table: null,
      copy: 0,
      pieces: 0,
    });
    expect(replica()).toBe(before);
    expect(await stage.settle()).toEqual([]);
  });

  it("a copy that turns out not to be needed stays when the session is being handed to it", async () => {
    const stage = await Stage.open({ seed: 4, limits: { directoryTimeoutMs: 2_000 } });
    const host = stage.cluster.node("a").runtime?.host;
    const standby = stage.refOf(stage.standby);
    const owner = () => stage.cluster.slot("a", stage.key)?.owner ?? null;
    const spare = stage.target;
    if (host == null) throw new Error("a is not part of the cluster");
    // A silent standby has another node recruited in its place; it is heard again before that is recorded.
    stage.cluster.node("a").directory.faults.delayMs = 400;
    const slow = stage.taps.onFrame("ack", () => ({ copies: 1, extraMs: 100 }), { times: 1, from: spare });
    host.onHealth(standby, "silent");
    await stage.until("the spare is being brought in", () => owner()?.feeds.get(stage.refOf(spare)) !== undefined, 5_000);
    host.onHealth(standby, "answering");
    await stage.run(150);
    expect(slow.times).toBe(1);
    const dropped = stage.taps.onFrame("drop", () => undefined, { times: 1_000, to: spare });
    const moved = stage.move("a", spare);
    await stage.until("the heir is recorded", () => stage.cluster.directory.records.get(stage.key)?.heir != null, 5_000);
    expect(dropped.times).toBe(0);
    expect(owner()?.feeds.get(stage.refOf(spare))?.waited).toBe(true);
    stage.cluster.node("a").directory.faults.delayMs = 1;
    await stage.until("the move has ended", () => moved.end !== undefined, 10_000);
    expect(moved.end).toMatchObject({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("a move whose source loses its life after the GRANT is told to have failed", async () => {
    const stage = await Stage.open({ seed: 2 });
    stage.taps.onFrame("grant", () => ({ copies: 0, extraMs: 0 }), { times: 1_000 });
    const moved = stage.move("a", stage.target);
    await stage.until("the source has sent its GRANT", () => stage.roleOf("a") === "granted", 1_000);
    await stage.cluster.until(stage.cluster.node("b").directory.resign(stage.refOf("a")));
    await stage.run(20);
    expect(moved.end).toMatchObject({ moved: false, code: "E_MOVE_FAILED" });
    expect(await stage.settle()).toEqual([]);
  });

  it("a timer that is due behind a turn that takes long waits for it without being asked for over and over", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 3, definitions: [nastySession(gate)] });
    const [ann] = stage.talkers;
    const call = ann?.client.call as unknown as Record<string, (argument: unknown) => Promise<unknown>>;
    await stage.cluster.until((call.alarm as (argument: unknown) => Promise<unknown>)({ who: "x", n: 30 }));
    gate.close();
    const slow = (call.slow as (argument: unknown) => Promise<unknown>)({ who: "slow", n: 1 });
    await stage.run(100);
    gate.open();
    await stage.cluster.until(slow);
    await stage.run(20);
    const { fired } = (await stage.cluster.until((call.read as (argument: null) => Promise<unknown>)(null))) as { fired: string[] };
    expect(fired).toEqual(["slow 1", "alarm"]);
    expect(await stage.settle()).toEqual([]);
  });

  it("a session that was taken back begins once, although the answer to the write comes after the watch has told of it", async () => {
    const stage = await Stage.open({ seed: 5 });
    const { cluster, key, target } = stage;
    stage.taps.onFrame("grant", () => LOST, { times: 1_000 });
    const hit = stage.taps.onWrite("takeBack", () => ({ fate: "unanswered", extraMs: 1 }));
    stage.move("a", target);
    await stage.until("the source has sent its GRANT", () => stage.roleOf("a") === "granted", 1_000);
    cluster.crash(target);
    await stage.until("the session runs at its source again", () => stage.roleOf("a") === "owner", 5_000);
    const owner = cluster.slot("a", key)?.owner;
    expect(hit.times).toBe(1);
    await stage.run(1_000, { talking: true, stepMs: 10 });
    expect(cluster.slot("a", key)?.owner).toBe(owner);
    expect(await stage.settle()).toEqual([]);
  });

  it("a standby that has left and is brought in again is not dropped for the second time that it was heard to leave", async () => {
    const stage = await Stage.open({ seed: 4, nodes: ["a", "b"], talkers: { ann: "a" } });
    const { cluster, key } = stage;
    const { faults } = cluster.node("a").directory;
    const inSync = () => cluster.directory.records.get(key)?.inSync ?? [];
    const leave = { t: "leave", session: key, epoch: 1 } as const;
    stage.inject(stage.refOf("b"), "a", leave);
    stage.inject(stage.refOf("b"), "a", leave);
    await stage.until("b has left", () => inSync().length === 0, 1_000);
    // What the second time comes to is heard only when b is about to be recorded again.
    faults.delayMs = 200;
    await stage.until("b is recorded again", () => inSync().length === 1, 5_000);
    faults.delayMs = 1;
    await stage.run(1_000, { talking: true });
    expect(cluster.slot("a", key)?.owner?.feeds.get(stage.refOf("b"))).toMatchObject({ waited: true, recorded: true });
    expect(cluster.slot("b", key)?.cell?.version).toBe(cluster.slot("a", key)?.cell?.version);
    expect(await stage.settle()).toEqual([]);
  });

  it("a granter that refuses to take its session back at once keeps the copy that the new owner waits for", async () => {
    const stage = await Stage.open({ seed: 6 });
    const { cluster, target } = stage;
    const commit = stage.taps.onWrite("commit", () => ({ fate: "slow", extraMs: 300 }));
    const moved = stage.move("a", target);
    await stage.until("the session has moved", () => moved.end !== undefined, 1_000);
    expect(commit.times).toBe(1);
    await cluster.until(cluster.node("a").runtime?.cordon(true) ?? Promise.resolve());
    const back = stage.move(target, "a");
    await stage.until("it is refused", () => back.end !== undefined, 250);
    expect(back.end).toMatchObject({ moved: false, code: "E_NODE_CORDONED" });
    await stage.run(300);
    cluster.crash(target);
    // The other standby was dropped by the COMMIT: the granter alone can go on.
    await stage.until("the granter has taken over", () => cluster.ownerOf(stage.key) === "a", 5_000);
    expect(await stage.settle()).toEqual([]);
  });

  it("a standby does not give its copy up for the late word that an earlier life of the session has ended", async () => {
    const stage = await Stage.open({ seed: 7 });
    const { cluster, key, target } = stage;
    const prepare = stage.taps.onWrite("prepare", () => ({ fate: "slow", extraMs: 100 }));
    const move = stage.move("a", target);
    await stage.until("the target holds a copy that no record names yet", () => prepare.times > 0, 1_000);
    const record = cluster.directory.records.get(key);
    if (record === undefined) throw new Error("there is no record");
    cluster.slot(target, key)?.onRecord({ ...record, revision: 1, epoch: 0, inSync: [], ended: true });
    expect(cluster.slot(target, key)?.cell).not.toBeNull();
    await stage.until("the move has ended", () => move.end !== undefined, 1_000);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("a recorded standby that holds nothing any more is given a copy again", async () => {
    const stage = await Stage.open({ seed: 8 });
    const { cluster, key, standby } = stage;
    cluster.slot(standby, key)?.becomeAbsent();
    await stage.run(1_000, { talking: true, stepMs: 10 });
    expect(cluster.slot(standby, key)?.cell?.version).toBe(cluster.slot("a", key)?.cell?.version);
    expect(await stage.settle()).toEqual([]);
  });

  it("a copy of the life before, at the same version, is not taken for one of this life", async () => {
    const cluster = new SimCluster({ seed: 6, nodes: ["a"], definitions: [counter] });
    await cluster.start();
    const connect = async (who: string) => new Talker(who, await cluster.until(cluster.connect<typeof counter>(KEY, ["a"])));
    const version = (id: string) => cluster.slot(id, KEY)?.cell?.version ?? 0;
    const ann = await connect("ann");
    await cluster.until(ann.say());
    const b = await cluster.startNode("b");
    await cluster.untilTrue("b holds a copy", () => version("b") > 0);
    // From here on b hears nothing, neither of the end nor of the life that begins then.
    cluster.network.intercept = () => LOST;
    b.directory.faults.down = true;
    ann.client.call.end().catch(() => undefined);
    await cluster.untilTrue("it has ended", () => cluster.directory.records.get(KEY)?.ended === true);
    const bob = await connect("bob");
    while (version("a") < version("b")) await cluster.until(bob.say());
    expect(version("a")).toBe(version("b"));
    cluster.network.intercept = null;
    b.directory.faults.down = false;
    await cluster.untilTrue("b holds a copy again", () => cluster.directory.records.get(KEY)?.inSync.length === 1, 5_000);
    for (let i = 0; i < 3; i++) await cluster.until(bob.say(), 5_000);
    const links = (id: string) => [...(cluster.slot(id, KEY)?.cell?.links.keys() ?? [])];
    expect(links("b")).toEqual(links("a"));
    expect(cluster.incidents.filter(({ code }) => code === "E_CODEC_CORRUPT")).toEqual([]);
  });
});
