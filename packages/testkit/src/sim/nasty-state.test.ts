import { ByteWriter, encodePeerMessage, type Limits, nodeIdOf, type PeerMessageOf, type SessionDefinition } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Gate, nastySession } from "./nasty-session.js";
import { Stage } from "./nasty-stage.js";
import { SimCluster } from "./sim-cluster.js";
import type { Talker } from "./talker.js";
import { Taps } from "./taps.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;
const HOUR_MS = 3_600_000;

describe("interleaving 37, 44: what is damaged or does not fit never becomes state", () => {
  const types = ["offer", "accept", "base", "delta", "ack", "grant", "taken", "released"] as const;
  it.each(types)("44: a bit of %s flips: a named incident, and it is sent again", async (type) => {
    const stage = await Stage.open({ seed: 201 });
    const hit = stage.taps.onFrame(
      (frame) => frame.message.t === type && (nodeIdOf(frame.to) === stage.target || nodeIdOf(frame.from) === stage.target),
      ({ bytes }) => ({ ...LOST, copies: 1, bytes: flipped(bytes, bytes.length >> 1) }),
    );
    const move = stage.move("a", stage.target);
    await stage.until("the move has ended", () => move.end !== undefined, 6_000, true);
    await stage.until("the frame was met", () => hit.times > 0, 3_000, true);
    expect(hit.times).toBe(1);
    expect(move.end).toEqual({ moved: true });
    await stage.run(10);
    expect(stage.cluster.incidents.map(({ code }) => code)).toContain("E_FRAME_CHECKSUM");
    expect(await stage.settle()).toEqual([]);
  });

  it("44: every bit of a GRANT, one after the other", async () => {
    const stage = await Stage.open({ seed: 202, talkers: { ann: "a" } });
    let at = 0;
    let size = Number.POSITIVE_INFINITY;
    stage.taps.onFrame(
      "grant",
      ({ bytes }) => {
        size = bytes.length * 8;
        const bad = bytes.slice();
        bad[at >> 3] = (bad[at >> 3] as number) ^ (1 << (at & 7));
        at += 7;
        return { copies: 1, extraMs: 0, bytes: bad };
      },
      { times: 30 },
    );
    const move = stage.move("a", stage.target);
    await stage.until("the move has ended", () => move.end !== undefined, 8_000, true);
    expect(size).toBeGreaterThan(30);
    expect(await stage.settle()).toEqual([]);
  });

  it("44: a base that is damaged behind its frame's checksum is refused by its own, and asked for again", async () => {
    const stage = await Stage.open({ seed: 203 });
    let bad: PeerMessageOf<"base"> | undefined;
    stage.taps.onFrame("base", ({ message }) => {
      if (message.t === "base") bad = { ...message, chunk: flipped(message.chunk, 3) };
      return LOST;
    });
    const move = stage.move("a", stage.target);
    await stage.until("the base was lost", () => bad !== undefined, 3_000, true);
    stage.inject(stage.refOf("a"), stage.target, bad as PeerMessageOf<"base">);
    await stage.until("the move has ended", () => move.end !== undefined, 6_000, true);
    expect(move.end).toEqual({ moved: true });
    expect(stage.cluster.incidents).toContainEqual(expect.objectContaining({ node: stage.target, code: "E_FRAME_CHECKSUM" }));
    expect(await stage.settle()).toEqual([]);
  });

  const wrong: Record<string, (delta: PeerMessageOf<"delta">) => PeerMessageOf<"delta">> = {
    "with a gap": (delta) => ({ ...delta, fromVersion: delta.fromVersion + 1 }),
    "on another base": (delta) => ({ ...delta, fromHash: delta.fromHash ^ 1 }),
    "with other content": (delta) => ({ ...delta, deltas: delta.deltas.map((bytes) => flipped(bytes, bytes.length >> 1)) }),
    "of a version long past, on another base": (delta) => ({ ...delta, fromVersion: 1, fromHash: 7 }),
  };
  it.each(Object.entries(wrong))("37: a delta %s is not applied, or is undone by a new base", async (_how, spoil) => {
    const stage = await Stage.open({ seed: 204 });
    let good: PeerMessageOf<"delta"> | undefined;
    stage.taps.onFrame(
      ({ message, to }) => message.t === "delta" && message.deltas.length > 0 && nodeIdOf(to) === stage.standby,
      ({ message }) => {
        if (message.t === "delta") good = message;
        return LOST;
      },
    );
    await stage.until("a delta was caught", () => good !== undefined, 1_000, true);
    stage.inject(stage.refOf("a"), stage.standby, spoil(good as PeerMessageOf<"delta">));
    await stage.run(40, { talking: true });
    // The copy is right: it takes over and has everything.
    await stage.until("all is acknowledged", () => stage.talkers.every(({ sent, answered }) => sent === answered), 4_000);
    stage.cluster.crash("a");
    await stage.until("the standby took over", () => stage.cluster.ownerOf(stage.key) === stage.standby, 5_000, true);
    expect(await stage.settle()).toEqual([]);
  });

  it("37: a GRANT that does not extend the heir's copy is refused; the session is not taken on it", async () => {
    const spoils: ((grant: PeerMessageOf<"grant">) => PeerMessageOf<"grant">)[] = [
      (grant) => ({ ...grant, fromVersion: grant.fromVersion + 1 }),
      (grant) => ({ ...grant, fromHash: grant.fromHash ^ 1 }),
      (grant) => ({ ...grant, hash: grant.hash ^ 1 }),
      (grant) => ({ ...grant, version: grant.version + 1 }),
    ];
    for (const spoil of spoils) {
      const stage = await Stage.open({ seed: 205 });
      const hit = stage.taps.onFrame("grant", ({ message }) => {
        if (message.t === "grant") stage.inject(stage.refOf("a"), stage.target, spoil(message));
        return LOST;
      });
      const move = stage.move("a", stage.target);
      await stage.until("a bad GRANT came", () => hit.times > 0, 3_000, true);
      expect(stage.roleOf(stage.target)).toBe("standby");
      await stage.until("the move has ended", () => move.end !== undefined, 6_000, true);
      expect(await stage.settle()).toEqual([]);
    }
  });
});

describe("interleavings 38, 41: copies that come to nothing", () => {
  it("38: a copy that never arrives ends the move at its deadline; the session has run all the time", async () => {
    const stage = await Stage.open({ seed: 211, limits: { copyTimeoutMs: 1_000 } });
    stage.taps.onFrame("base", () => LOST, ALWAYS);
    const move = stage.move("a", stage.target);
    await stage.run(800, { talking: true, stepMs: 10 });
    expect(stage.talkers[0]?.answered).toBeGreaterThan(70);
    await stage.until("the move has ended", () => move.end !== undefined, 1_000, true);
    expect(move.end).toMatchObject({ moved: false, code: "E_MOVE_FAILED" });
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });

  it("38: a last turn that no GRANT can carry reverts the move; the session thaws at its source and has lost nothing", async () => {
    const stage = await Stage.open({ seed: 214, definitions: [nastySession(new Gate())] });
    const calls = (stage.talkers[0] as Talker).client.call as unknown as { fill(said: { who: string; n: number }): Promise<unknown> };
    let filled: Promise<unknown> | undefined;
    stage.taps.onWrite("prepare", () => {
      filled = calls.fill({ who: "0123456789", n: 90_000 });
      stage.taps.onFrame("base", () => LOST, { ...ALWAYS, to: stage.target });
      return { fate: "slow", extraMs: 20 };
    });
    const granted = stage.taps.onFrame("grant", () => undefined);
    const asked = stage.taps.onFrame("cancel", () => ({ copies: 1, extraMs: 300 }));
    const move = stage.move("a", stage.target);
    await stage.until("the heir is asked to decline", () => asked.times > 0, 1_000);
    const version = () => stage.cluster.slot("a", stage.key)?.cell?.version ?? 0;
    const before = version();
    stage.taps.clear();
    await stage.run(200, { talking: true });
    expect(version()).toBeGreaterThan(before + 50); // it has thawed already
    await stage.until("the move has ended", () => move.end !== undefined, 3_000, true);
    expect(move.end).toMatchObject({ moved: false, code: "E_MOVE_FAILED", message: expect.stringContaining("last deltas") });
    expect([granted.times, asked.times]).toEqual([0, 1]);
    await stage.cluster.until(filled ?? Promise.reject(new Error("PREPARE was not met")));
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
    const again = stage.move("a", stage.target);
    await stage.until("it moves when there is time", () => again.end !== undefined, 3_000, true);
    expect(again.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("38: a target that does not answer ends the move at its deadline", async () => {
    const stage = await Stage.open({ seed: 212 });
    stage.taps.onFrame("offer", () => LOST, ALWAYS);
    const move = stage.move("a", stage.target);
    await stage.until("the move has ended", () => move.end !== undefined, 2_200, true);
    expect(move.end).toMatchObject({ moved: false, code: "E_MOVE_FAILED" });
    expect(await stage.settle()).toEqual([]);
  });

  it("41: a copy that nobody came to fetch is dropped, also when the word to drop it is lost", async () => {
    const stage = await Stage.open({ seed: 213, limits: { replicaRetentionMs: 2_000, copyTimeoutMs: 500 } });
    stage.taps.onFrame(
      ({ message }) => message.t === "drop" || message.t === "cancel",
      () => LOST,
      { times: 2 },
    );
    // The copy arrives, and its acknowledgement never does.
    stage.taps.onFrame("ack", () => LOST, { ...ALWAYS, from: stage.target });
    const move = stage.move("a", stage.target);
    await stage.until("the move has ended", () => move.end !== undefined, 2_000, true);
    expect(stage.roleOf(stage.target)).toBe("standby");
    stage.taps.clear();
    await stage.until("the copy is gone", () => stage.roleOf(stage.target) === "absent", 6_000, true);
    expect(await stage.settle({ leftoverMs: 40_000 })).toEqual([]);
  });
});

describe("interleaving 39: batches", () => {
  it("nine of ten move although one of them has a turn that does not end, and one of the others is refused nothing", async () => {
    const gate = new Gate();
    const bad = nastySession(gate, 1, "stuck");
    const limits: Partial<Limits> = { leaseTtlMs: 2_000, heirDeadlineMs: 800, copyTimeoutMs: 1_000, drainDeadlineMs: 100_000, standbys: 0 };
    const cluster = new SimCluster({ seed: 221, nodes: ["a", "b"], definitions: [counter, bad as SessionDefinition], limits });
    await cluster.start();
    const keys = [...Array.from({ length: 9 }, (_, i) => `counter/s${i}`), "stuck/one"];
    for (const key of keys) await cluster.until(cluster.connect(key, ["a"]));
    gate.close();
    const stuck = await cluster.until(cluster.connect("stuck/one", ["a"]));
    void stuck.call.slow?.({ who: "x", n: 1 }).catch(() => undefined);
    await cluster.clock.run(20);
    const { runtime } = cluster.node("a");
    const to = cluster.node("b").runtime?.self ?? "";
    const startedAt = cluster.clock.now();
    const each = keys.map((session) =>
      runtime?.mover?.move(session, to).then(
        () => cluster.clock.now() - startedAt,
        () => null,
      ),
    );
    const outcomes = await cluster.until(Promise.all(each));
    expect(outcomes.at(-1)).toBeNull();
    // Nobody waited for the slow one (orleans: one slow item delays all others).
    for (const tookMs of outcomes.slice(0, 9)) expect(tookMs).toBeLessThan(50);
    for (const key of keys.slice(0, 9)) expect(cluster.ownerOf(key)).toBe("b");
    expect(cluster.ownerOf("stuck/one")).toBe("a");
  });

  it("moveAll tells each session's own outcome", async () => {
    const cluster = new SimCluster({ seed: 222, nodes: ["a", "b"], definitions: [counter], limits: { standbys: 0 } });
    await cluster.start();
    const keys = Array.from({ length: 9 }, (_, i) => `counter/s${i}`);
    for (const key of keys) await cluster.until(cluster.connect(key, ["a"]));
    const to = cluster.node("b").runtime?.self ?? "";
    const moves = [...keys.slice(0, 4), "counter/elsewhere", ...keys.slice(4)].map((session) => ({ session, to }));
    const outcomes = (await cluster.until(cluster.node("a").runtime?.mover?.moveAll(moves) ?? Promise.resolve([]))) ?? [];
    expect(outcomes.filter(({ moved }) => moved).map(({ session }) => session)).toEqual(keys);
    expect(outcomes[4]).toMatchObject({ session: "counter/elsewhere", moved: false, error: { code: "E_NOT_OWNER" } });
  });
});

describe("interleaving 40, emqx#18565: timers and departures across a move happen once", () => {
  const grants = { "in time": null, "90 ms late": { copies: 1, extraMs: 90 }, never: LOST } as const;
  it.each(Object.entries(grants))("a timer that comes due while the session is frozen, with the GRANT %s", async (when, fate) => {
    const stage = await Stage.open({ seed: 231, definitions: [nastySession(new Gate())], talkers: { ann: "a" } });
    const calls = nastyCalls(stage);
    const hit = stage.taps.onFrame("grant", () => fate ?? undefined, fate === null ? {} : ALWAYS);
    await stage.cluster.until(calls.alarm({ who: "ann", n: 60 }));
    const move = stage.move("a", stage.target);
    await stage.until("it is granted", () => hit.times > 0, 1_000);
    const dueAtMs = stage.cluster.slot("a", stage.key)?.cell?.nextTimerAtMs() ?? 0;
    expect(dueAtMs).toBeGreaterThan(stage.cluster.clock.now());
    await stage.until("the move has ended", () => move.end !== undefined, 3_000);
    expect(move.end?.moved).toBe(when !== "never");
    await stage.run(200); // without a turn that would look at the timers
    expect((await stage.cluster.until(calls.read())).fired).toEqual(["alarm"]);
    expect(await stage.settle()).toEqual([]);
  });

  it.each([-HOUR_MS, HOUR_MS])("the wall clock jumps by %i ms during a move: no timer, lease or link notices", async (jumpMs) => {
    const stage = await Stage.open({ seed: 232, definitions: [nastySession(new Gate())] });
    const calls = nastyCalls(stage);
    const self = stage.refOf("a");
    await stage.cluster.until(calls.alarm({ who: "ann", n: 500 }));
    for (const type of ["offer", "grant", "released"] as const) {
      stage.taps.onFrame(type, () => {
        stage.cluster.clock.jumpWall(jumpMs);
        return undefined;
      });
    }
    const move = stage.move("a", stage.target);
    await stage.until("the move has ended", () => move.end !== undefined, 2_000, true);
    expect(move.end).toEqual({ moved: true });
    await stage.run(300, { talking: true, stepMs: 10 });
    expect((await stage.cluster.until(calls.read())).fired).toEqual([]);
    await stage.run(300, { talking: true, stepMs: 10 });
    expect((await stage.cluster.until(calls.read())).fired).toEqual(["alarm"]);
    await stage.run(3_000, { stepMs: 50 });
    expect(stage.refOf("a")).toBe(self);
    expect(await stage.settle()).toEqual([]);
  });

  it("a client that went away before a move leaves once, when its grace is over, at whoever owns the session then", async () => {
    const stage = await Stage.open({ seed: 233, definitions: [nastySession(new Gate())], limits: { linkGraceMs: 400 } });
    const gone = await stage.cluster.until(stage.cluster.connect(stage.key, ["c"]));
    await stage.run(10);
    gone.detach();
    await stage.run(100);
    const before = (await stage.cluster.until(nastyCalls(stage).read())).left.length;
    for (const [from, to] of [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ] as const) {
      const move = stage.move(from, to);
      await stage.until("the move has ended", () => move.end !== undefined, 2_000, true);
      await stage.run(60, { talking: true, stepMs: 10 });
    }
    await stage.run(1_000, { talking: true, stepMs: 20 });
    expect((await stage.cluster.until(nastyCalls(stage).read())).left.length).toBe(before + 1);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 42: a target that cannot run the session", () => {
  it("refuses at the OFFER when it lacks the version of the code; the session stays", async () => {
    const limits = { standbys: 0 };
    const cluster = new SimCluster({ seed: 241, nodes: ["a"], definitions: [nastySession(new Gate(), 2)], limits });
    await cluster.start();
    const old = await cluster.startNode("b", [nastySession(new Gate(), 1)]);
    const other = await cluster.startNode("c", [nastySession(new Gate(), 1, "another")]);
    await cluster.clock.run(50);
    const client = await cluster.until(cluster.connect("counter/one", ["a"]));
    await cluster.until(client.call.add?.({ who: "ann", n: 1 }) ?? Promise.resolve());
    for (const [node, code] of [
      [old, "E_STATE_VERSION"],
      [other, "E_KIND_UNKNOWN"],
    ] as const) {
      const move: Promise<unknown> = cluster.node("a").runtime?.move("counter/one", node.id) ?? Promise.resolve();
      await expect(cluster.until(move)).rejects.toMatchObject({ code: "E_MOVE_REFUSED", message: expect.stringContaining(code) });
    }
    await cluster.until(client.call.add?.({ who: "ann", n: 2 }) ?? Promise.resolve());
    expect(cluster.ownerOf("counter/one")).toBe("a");
    expect(cluster.slot("b", "counter/one")).toBeUndefined();
  });

  it.each(["the deltas", "a base"])(
    "keeps a copy as the granter, by %s, and hands it to a node that can run it when the new owner dies",
    async (how) => {
      const limits = { standbys: 1, leaseTtlMs: 2_000, ackTimeoutMs: 200 };
      const old = nastySession(new Gate(), 1);
      const newer = nastySession(new Gate(), 2);
      const cluster = new SimCluster({ seed: 243, nodes: ["a"], definitions: [old], limits });
      await cluster.start();
      for (const id of ["b", "c"]) await cluster.startNode(id, [newer]);
      await cluster.clock.run(50);
      const key = "counter/one";
      const client = await cluster.until(cluster.connect(key, ["a", "b", "c"]));
      const add = (n: number) => cluster.until(client.call.add?.({ who: "ann", n }) ?? Promise.resolve());
      await add(1);
      const taps = new Taps(cluster, key);
      const base = taps.onFrame("base", () => undefined, { from: "b", to: "a" });
      if (how === "a base") taps.onFrame("delta", () => (base.times === 0 ? LOST : undefined), { ...ALWAYS, from: "b", to: "a" });
      const granter = cluster.node("a").runtime?.self ?? "";
      const move: Promise<unknown> = cluster.node("a").runtime?.move(key, "b") ?? Promise.resolve();
      await cluster.until(move);
      if (how === "a base") {
        const want = { t: "ack", session: key, epoch: 2, version: 0, hash: 0, want: "base" } as const;
        cluster.node("b").runtime?.host?.onMessage(granter, encodePeerMessage(new ByteWriter(), systemCrc32, want));
      }
      await add(2);
      expect(base.times).toBe(how === "a base" ? 1 : 0);
      await cluster.untilTrue("a holds what b made", () => cluster.slot("a", key)?.cell?.stateVersion === 2);
      expect(cluster.slot("b", key)?.owner?.slot.cas.record?.inSync).toEqual([granter]);
      cluster.crash("b");
      await cluster.untilTrue("c owns the session", () => cluster.ownerOf(key) === "c", 20_000);
      expect(await add(3)).toBe(3);
      expect(cluster.incidents.map(({ code }) => code)).not.toContain("E_SESSION_LOST");
    },
  );

  it("refuses at the OFFER when it is cordoned or full; the session stays, and room comes back", async () => {
    const stage = await Stage.open({ seed: 242 });
    const { cluster, target } = stage;
    await cluster.until(cluster.node(target).runtime?.cordon(true) ?? Promise.resolve());
    const refused = stage.move("a", target);
    await stage.until("the move has ended", () => refused.end !== undefined, 2_000, true);
    expect(refused.end).toMatchObject({ moved: false, code: "E_NODE_CORDONED" });
    await cluster.until(cluster.node(target).runtime?.cordon(false) ?? Promise.resolve());
    const move = stage.move("a", target);
    await stage.until("the move has ended", () => move.end !== undefined, 2_000, true);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 22: two nodes that are full move sessions to each other", () => {
  it("each reserves at the OFFER, nobody holds and waits; what is refused can be tried again", async () => {
    const cluster = new SimCluster({ seed: 251, nodes: ["a", "b"], definitions: [counter], limits: { standbys: 0, maxIncomingMoves: 1 } });
    await cluster.start();
    const at = { a: ["counter/a1", "counter/a2", "counter/a3"], b: ["counter/b1", "counter/b2", "counter/b3"] };
    for (const [node, keys] of Object.entries(at)) for (const key of keys) await cluster.until(cluster.connect(key, [node]));
    const todo = [...at.a.map((key) => [key, "a", "b"] as const), ...at.b.map((key) => [key, "b", "a"] as const)];
    let refused = 0;
    for (let round = 0; round < 6; round++) {
      const moves = todo.filter(([key, from]) => cluster.ownerOf(key) === from);
      const outcomes = await cluster.until(
        Promise.all(
          moves.map(([key, from, to]) =>
            (cluster.node(from).runtime?.move(key, to) ?? Promise.resolve()).then(
              () => "moved",
              (error: { code: string }) => error.code,
            ),
          ),
        ),
        5_000,
      );
      refused += outcomes.filter((outcome) => outcome === "E_MOVE_REFUSED").length;
      await cluster.clock.run(20);
    }
    expect(refused).toBeGreaterThan(0);
    for (const [key, , to] of todo) expect(cluster.ownerOf(key)).toBe(to);
    for (const node of cluster.nodes.values()) expect(node.runtime?.host?.reservedRooms).toBe(0);
  });
});

describe("interleaving 23: a session ends while it is being moved", () => {
  it.each(["offer", "accept", "base", "grant", "taken", "released"] as const)(
    "when %s is sent: it stays ended, nothing older brings it back",
    async (type) => {
      const stage = await Stage.open({ seed: 261, talkers: { ann: "a" } });
      const { cluster, key, target } = stage;
      const hit = stage.taps.onFrame(type, () => {
        stage.talkers[0]?.client.call.end().catch(() => undefined);
        return undefined;
      });
      stage.taps.recording = true;
      const move = stage.move("a", target);
      await stage.until("the step was met", () => hit.times > 0, 3_000);
      await stage.run(8_000, { stepMs: 20 });
      expect(move.end).toBeDefined();
      const ended = await cluster.until(cluster.record(key));
      expect(ended?.ended).toBe(true);
      for (const id of ["a", "b", "c"]) expect(stage.roleOf(id)).toBe("absent");
      for (const { from, to, message } of stage.taps.frames.splice(0)) {
        if (message.t === "base" || message.t === "grant" || message.t === "delta" || message.t === "taken")
          stage.inject(from, nodeIdOf(to), message);
      }
      await stage.run(50);
      expect(cluster.ownerOf(key)).toBeNull();
      const again = await cluster.until(cluster.connect<typeof counter>(key, ["c"]));
      expect((await cluster.until(again.call.read())).total).toBe(0);
      expect((await cluster.until(cluster.record(key)))?.epoch).toBeGreaterThan(ended?.epoch ?? 0);
      expect(stage.problems).toEqual([]);
    },
  );
});

interface NastyCalls {
  alarm(said: { who: string; n: number }): Promise<unknown>;
  read(): Promise<{ fired: string[]; left: string[] }>;
}

function nastyCalls(stage: Stage): NastyCalls {
  return (stage.talkers[0] as Talker).client.call as unknown as NastyCalls;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 0x10;
  return copy;
}
