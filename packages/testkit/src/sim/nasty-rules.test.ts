import { nodeIdOf, type PeerMessageOf } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Gate, nastySession } from "./nasty-session.js";
import { Stage } from "./nasty-stage.js";
import { RawClient } from "./raw-client.js";
import { SimCluster } from "./sim-cluster.js";
import type { Talker } from "./talker.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;

describe("rules 2 and 3: who is recorded, and who is waited for", () => {
  it("2: a standby is not recorded before it has all that was released before it was waited for", async () => {
    const stage = await Stage.open({ seed: 401, talkers: { ann: "a" } });
    const { cluster, key, target } = stage;
    stage.taps.onFrame("base", () => ({ copies: 1, extraMs: 100 }), { ...ALWAYS, to: target });
    const deltas = stage.taps.onFrame("delta", () => LOST, { ...ALWAYS, to: target });
    const join = stage.taps.onWrite("join", () => undefined);
    cluster.crash(stage.standby);
    await stage.until("the next one is being brought in", () => deltas.times > 0, 6_000, true);
    await stage.run(500, { talking: true, stepMs: 10 });
    expect(join.times).toBe(0);
    stage.taps.clear();
    await stage.until(
      "it is recorded",
      () => cluster.slot("a", key)?.cas.record?.inSync.map(nodeIdOf).includes(target) === true,
      3_000,
      true,
    );
    expect(await stage.settle()).toEqual([]);
  });

  it("3: a standby that asks to leave is waited for until the directory has dropped it", async () => {
    const stage = await Stage.open({ seed: 402, talkers: { ann: "a" } });
    const { cluster, key, standby } = stage;
    await stage.run(20);
    const leave = stage.taps.onWrite("leave", () => ({ fate: "lost" }), 10_000);
    stage.taps.onFrame("delta", () => LOST, { ...ALWAYS, to: standby });
    stage.inject(stage.refOf(standby), "a", { t: "leave", session: key, epoch: 1 });
    await stage.until("the write is undecided", () => leave.times > 0, 1_000);
    const heard = stage.talkers[0]?.answered;
    await stage.run(400, { talking: true, stepMs: 20 });
    expect(stage.talkers[0]?.answered).toBe(heard);
    // It is still recorded, and may take over: nothing that was answered may be missing there.
    cluster.crash("a");
    await stage.until("the standby took over", () => cluster.ownerOf(key) === standby, 5_000);
    expect(await stage.settle()).toEqual([]);
  });

  it("7: who is recorded as heir and holds nothing any more declines", async () => {
    const stage = await Stage.open({ seed: 403 });
    const { key, target } = stage;
    await stage.run(50);
    const hit = stage.taps.onWrite("prepare", () => {
      stage.inject(stage.refOf("a"), target, { t: "drop", session: key, epoch: 1, serial: 1_000_000 });
      return undefined;
    });
    const decline = stage.taps.onWrite("decline", () => undefined);
    const move = stage.move("a", target);
    await stage.until("the move has ended", () => move.end !== undefined, 3_000);
    expect([hit.times, decline.times]).toEqual([1, 1]);
    expect(move.end).toMatchObject({ moved: false, code: "E_MOVE_FAILED" });
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(key)).toBe("a");
  });

  it("15: an offer that comes again after the standby was brought in reserves nothing", async () => {
    const stage = await Stage.open({ seed: 404, talkers: { ann: "a" } });
    const { cluster, key, target } = stage;
    let offer: PeerMessageOf<"offer"> | undefined;
    stage.taps.onFrame("offer", ({ message }) => {
      if (message.t === "offer") offer = message;
      return undefined;
    });
    cluster.crash(stage.standby);
    await stage.until(
      "the next one is recorded",
      () => cluster.slot("a", key)?.cas.record?.inSync.map(nodeIdOf).includes(target) === true,
      6_000,
    );
    await stage.run(20);
    expect(cluster.node(target).runtime?.host?.reservedRooms).toBe(0);
    stage.inject(stage.refOf("a"), target, offer as PeerMessageOf<"offer">);
    expect(cluster.node(target).runtime?.host?.reservedRooms).toBe(0);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("a move meets the end of another, or its own", () => {
  it("21: a session moves on before the COMMIT of its last move: both moves succeed", async () => {
    const stage = await Stage.open({ seed: 421 });
    const { target, standby } = stage;
    stage.taps.onWrite("commit", () => ({ fate: "slow", extraMs: 300 }));
    const first = stage.move("a", target);
    await stage.until("the target runs", () => stage.roleOf(target) === "owner", 1_000, true);
    expect(first.end?.moved).not.toBe(false);
    const second = stage.move(target, standby);
    await stage.until("both have ended", () => first.end !== undefined && second.end !== undefined, 1_500, true);
    expect([first.end, second.end]).toEqual([{ moved: true }, { moved: true }]);
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe(standby);
  });

  it("7: the heir declines while its granter still drains: the session thaws when the turn in hand has ended", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 422, definitions: [nastySession(gate)], limits: { drainDeadlineMs: 5_000 } });
    const calls = (stage.talkers[0] as Talker).client.call as unknown as { slow(said: { who: string; n: number }): Promise<unknown> };
    gate.close();
    let slow: Promise<unknown> | undefined;
    stage.taps.onWrite("prepare", () => {
      slow = calls.slow({ who: "slow", n: 1 });
      return { fate: "slow", extraMs: 20 };
    });
    const move = stage.move("a", stage.target);
    await stage.until("the heir has declined", () => move.end !== undefined, 2_000, true);
    expect(move.end).toMatchObject({ moved: false });
    expect(gate.waiting).toBe(1);
    gate.open();
    await stage.cluster.until(slow ?? Promise.reject(new Error("PREPARE was not met")), 1_000);
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });

  it("10: what an ended incarnation says has no weight, however new it sounds", async () => {
    const stage = await Stage.open({ seed: 423 });
    const { cluster, key, target, standby } = stage;
    const a = stage.refOf("a");
    cluster.crash("a");
    await stage.until("the standby took over", () => cluster.ownerOf(key) === standby, 5_000, true);
    const raw = await RawClient.open(cluster, key, target);
    raw.hello("listener-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    await raw.next("welcome");
    await stage.until("the clients are back", () => stage.talkers.every(({ sent, answered }) => sent === answered), 3_000);
    stage.inject(a, target, { t: "route", session: key, epoch: 99, owner: a, from: a, blackoutMs: 0, settleMs: 0 });
    const before = raw.outputs.length;
    await stage.run(50, { talking: true });
    await stage.run(50);
    expect(raw.outputs.length).toBeGreaterThan(before + 10);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("rules 10 and 12: leases and releases", () => {
  it("12: an owner with no standby that wakes after its lease in the middle of a turn shows nobody what the turn produced", async () => {
    const gate = new Gate();
    const cluster = new SimCluster({
      seed: 411,
      nodes: ["a", "b"],
      definitions: [nastySession(gate)],
      limits: { leaseTtlMs: 2_000, standbys: 0 },
    });
    await cluster.start();
    const raw = await RawClient.open(cluster, "counter/one", "a");
    raw.hello("alone-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    await raw.next("welcome");
    gate.close();
    raw.input(1, "slow", { who: "x", n: 1 });
    await cluster.clock.run(20);
    expect(gate.waiting).toBe(1);
    cluster.node("a").clock.pause();
    await cluster.clock.run(2_500);
    raw.received.length = 0;
    gate.open();
    await cluster.clock.run(5);
    expect(raw.received).toEqual([]);
  });

  it("10: renewals answered late do not lengthen the lease here beyond what it is at the directory", async () => {
    for (const delayMs of [300, 600, 900, 1_200]) {
      const stage = await Stage.open({ seed: 412 });
      const { faults } = stage.cluster.node("a").directory;
      const before = stage.refOf("a");
      faults.delayMs = delayMs;
      await stage.run(1_100, { stepMs: 10 });
      faults.down = true; // what was asked before is still answered, late
      await stage.run(5_000, { stepMs: 10 }); // the stage compares the leases at every step
      Object.assign(faults, { delayMs: 1, down: false });
      expect(await stage.settle()).toEqual([]);
      expect(stage.refOf("a")).not.toBe(before);
    }
  });

  it("12: what the old owner had not released when it froze is released by the new one as soon as it is acknowledged", async () => {
    const stage = await Stage.open({ seed: 413, talkers: { ann: "a" } });
    const { standby, target } = stage;
    const [ann] = stage.talkers as [Talker];
    await stage.until("ann has switched", () => ann.client.endpoint === "sim://a", 2_000);
    await stage.run(50);
    stage.taps.onFrame("ack", () => ({ copies: 1, extraMs: 80 }), { ...ALWAYS, from: standby });
    const move = stage.move("a", target);
    const hit = stage.taps.onWrite("prepare", () => {
      for (let i = 0; i < 5; i++) stage.say(ann);
      return { fate: "slow", extraMs: 20 };
    });
    await stage.until("it has moved", () => move.end !== undefined, 2_000);
    expect(hit.times).toBe(1);
    await stage.run(250);
    expect(ann.answered).toBe(ann.sent); // not only when the client is found to lack it, after 2 s
    expect(await stage.settle()).toEqual([]);
  });

  it("6, 11: a lost TAKEN is said again when the GRANT is, also when nothing else tells the granter", async () => {
    const stage = await Stage.open({ seed: 414 });
    const { target } = stage;
    stage.taps.onFrame("taken", () => LOST);
    stage.taps.onFrame(
      ({ message }) => message.t === "delta" || message.t === "base",
      () => LOST,
      { ...ALWAYS, from: target },
    );
    stage.taps.onWrite("commit", () => ({ fate: "slow", extraMs: 1_500 }));
    const move = stage.move("a", target);
    await stage.until("the granter knows", () => move.end !== undefined, 400);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("a client whose ingress died before its owner did is away at the next owner, and its grace runs", async () => {
    const limits = { leaseTtlMs: 2_000, standbys: 1, linkGraceMs: 1_000 };
    const cluster = new SimCluster({ seed: 415, nodes: ["a", "b", "c"], definitions: [counter], limits });
    await cluster.start();
    await cluster.until(cluster.connect<typeof counter>("counter/one", ["a"]));
    await cluster.untilTrue("a standby is recorded", () => (cluster.slot("a", "counter/one")?.cas.record?.inSync.length ?? 0) > 0);
    const standby = nodeIdOf(cluster.slot("a", "counter/one")?.cas.record?.inSync[0] ?? "");
    const ingress = standby === "b" ? "c" : "b";
    const raw = await RawClient.open(cluster, "counter/one", ingress);
    raw.hello("far-away-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    await raw.next("welcome");
    cluster.crash(ingress);
    await cluster.clock.run(900);
    cluster.crash("a");
    await cluster.untilTrue("the standby took over", () => cluster.ownerOf("counter/one") === standby, 5_000);
    await cluster.clock.run(20);
    const link = () => cluster.slot(standby, "counter/one")?.cell?.links.get("far-away-0123456789abcdef");
    expect(link()).toMatchObject({ ingress: null });
    await cluster.clock.run(1_500);
    expect(link()).toBeUndefined();
  });
});
