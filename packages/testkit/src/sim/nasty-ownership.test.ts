import { type NodeRef, nodeIdOf, type PeerMessageOf } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import type { counter } from "./counter-session.js";
import { Stage } from "./nasty-stage.js";
import type { WriteKind } from "./taps.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;

/** Begins a move whose GRANTs do not arrive, and gives the one that would have. */
async function heldGrant(stage: Stage, from = "a", to = stage.target) {
  let grant: PeerMessageOf<"grant"> | undefined;
  stage.taps.onFrame(
    "grant",
    ({ message }) => {
      if (message.t === "grant") grant ??= message;
      return LOST;
    },
    ALWAYS,
  );
  const move = stage.move(from, to);
  await stage.until("the session is frozen and granted", () => grant !== undefined, 3_000, true);
  return { move, grant: grant as PeerMessageOf<"grant"> };
}

describe("interleavings 1, 3, 9, 10: GRANTs that must not be believed", () => {
  it("1: refuses a GRANT although it was never recorded as heir", async () => {
    const stage = await Stage.open({ seed: 31 });
    const { grant, move } = await heldGrant(stage);
    stage.inject(stage.refOf("a"), stage.standby, { ...grant, to: stage.refOf(stage.standby) });
    await stage.run(20);
    expect(stage.roleOf(stage.standby)).toBe("standby");
    await stage.until("the heir has declined", () => move.end !== undefined, 3_000, true);
    expect(await stage.settle()).toEqual([]);
  });

  it("1: a node that holds nothing of the session takes nothing", async () => {
    const stage = await Stage.open({ seed: 31, nodes: ["a", "b", "c", "d"], talkers: { ann: "a" } });
    const { grant } = await heldGrant(stage);
    const stranger = ["b", "c", "d"].find((id) => stage.roleOf(id) === "absent") as string;
    stage.inject(stage.refOf("a"), stranger, { ...grant, to: stage.refOf(stranger) });
    await stage.run(20);
    expect(stage.roleOf(stranger)).toBe("absent");
    expect(await stage.settle()).toEqual([]);
  });

  it("1, 10: a GRANT for the incarnation before is void at the next one", async () => {
    const stage = await Stage.open({ seed: 32 });
    const { target } = stage;
    const { grant } = await heldGrant(stage);
    stage.cluster.crash(target);
    await stage.restart(target);
    const old = grant.to;
    expect(stage.refOf(target)).not.toBe(old);
    stage.inject(stage.refOf("a"), target, grant);
    await stage.run(20);
    expect(stage.roleOf(target)).not.toBe("owner");
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });

  it.each([
    { names: "the incarnation before", role: "standby" },
    // Shows that nothing else is wrong with it: a granter's word is believed where nothing is known against it.
    { names: "this incarnation", role: "owner" },
  ])("10: a GRANT that names $names, to a copy that knows of no record, makes it $role", async ({ names, role }) => {
    const stage = await Stage.open({ seed: 39, nodes: ["a", "b", "c"], talkers: { ann: "a" } });
    const { cluster, key, target } = stage;
    const join = stage.taps.onWrite("join", () => ({ fate: "slow", extraMs: 5_000 }));
    stage.taps.recording = true;
    cluster.crash(stage.standby);
    await stage.until("the other node has a copy and is not recorded", () => join.times > 0, 6_000);
    expect(cluster.slot(target, key)?.cas.record).toBeNull();
    const acks = stage.taps.frames.flatMap(({ from, message }) => (message.t === "ack" && nodeIdOf(from) === target ? [message] : []));
    const { version, hash } = acks.at(-1) as PeerMessageOf<"ack">;
    const self = stage.refOf(target);
    stage.inject(stage.refOf("a"), target, {
      t: "grant",
      session: key,
      to: names === "this incarnation" ? self : `${target}#0`,
      epoch: 2,
      attempt: 99,
      revision: 99,
      fromVersion: version,
      fromHash: hash,
      version,
      hash,
      deltas: [],
      table: null,
      waitedFor: [stage.refOf("a")],
      inSync: [],
      strategy: "replica",
      stored: false,
      released: 0,
      frozenForMs: 0,
      settleMs: 0,
    });
    expect(stage.roleOf(target)).toBe(role);
  });

  it("1, 10: a GRANT that names the right incarnation, from a granter that is not owner any more, is void", async () => {
    const stage = await Stage.open({ seed: 33, nodes: ["a", "b", "c", "d"], limits: { standbys: 2, heirDeadlineMs: 5_000 } });
    const { target } = stage;
    const { grant } = await heldGrant(stage);
    const a = stage.refOf("a");
    stage.cluster.crash("a");
    await stage.until("the heir is promoted", () => stage.cluster.ownerOf(stage.key) === target, 4_000, true);
    await stage.run(30, { talking: true });
    stage.inject(a, target, grant);
    await stage.run(30, { talking: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("3, 7: keeps its promise: once it has begun to decline it never takes that epoch", async () => {
    const stage = await Stage.open({ seed: 34 });
    const hit = stage.taps.onWrite("decline", () => ({ fate: "lost" }), 3);
    const { grant } = await heldGrant(stage);
    await stage.until("the heir is declining", () => hit.times > 0, 3_000, true);
    stage.inject(stage.refOf("a"), stage.target, grant);
    await stage.run(20, { talking: true });
    expect(stage.roleOf(stage.target)).toBe("standby");
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });

  it("3: a late GRANT of attempt 1 meets attempt 2", async () => {
    const stage = await Stage.open({ seed: 35 });
    const first = await heldGrant(stage);
    await stage.until("attempt 1 has ended", () => first.move.end !== undefined, 3_000, true);
    stage.taps.clear();
    const second = await heldGrant(stage);
    expect(second.grant.epoch).toBe(first.grant.epoch + 2);
    stage.inject(stage.refOf("a"), stage.target, first.grant);
    await stage.run(20, { talking: true });
    expect(stage.roleOf(stage.target)).toBe("standby");
    stage.taps.clear();
    await stage.until("attempt 2 has ended", () => second.move.end !== undefined, 3_000, true);
    expect(second.move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("3: a late TAKEN of attempt 1 does not end attempt 2", async () => {
    const stage = await Stage.open({ seed: 36 });
    const { target } = stage;
    stage.taps.recording = true;
    await bounce(stage, ["a", target, "a"]);
    const old = stage.taps.frames.find(({ message, from }) => message.t === "taken" && nodeIdOf(from) === target);
    expect(old).toBeDefined();
    const second = await heldGrant(stage);
    stage.inject(stage.refOf(target), "a", (old as { message: PeerMessageOf<"taken"> }).message);
    await stage.run(20, { talking: true });
    expect(stage.roleOf("a")).toBe("granted");
    expect(second.move.end).toBeUndefined();
    expect(await stage.settle()).toEqual([]);
  });

  it("9, 11: every old GRANT, TAKEN, delta and base comes again after COMMIT and after the next move: nothing happens", async () => {
    const stage = await Stage.open({ seed: 37 });
    const { target, standby } = stage;
    stage.taps.recording = true;
    await bounce(stage, ["a", target]);
    const frames = stage.taps.frames.splice(0);
    replay(stage, frames);
    await stage.run(30, { talking: true });
    expect(stage.cluster.ownerOf(stage.key)).toBe(target);
    await bounce(stage, [target, standby]);
    replay(stage, frames);
    await stage.run(30, { talking: true });
    expect(stage.cluster.ownerOf(stage.key)).toBe(standby);
    expect(await stage.settle()).toEqual([]);
  });

  it("dapr dotnet-sdk#986: A → B → A with all frames of the way there still under way", async () => {
    const stage = await Stage.open({ seed: 38 });
    const { target } = stage;
    stage.taps.recording = true;
    await bounce(stage, ["a", target]);
    const frames = stage.taps.frames.splice(0);
    const back = stage.move(target, "a");
    for (let i = 0; i < 10; i++) {
      replay(stage, frames);
      await stage.run(6, { talking: true });
    }
    await stage.until("it is back", () => back.end !== undefined, 3_000, true);
    expect(back.end).toEqual({ moved: true });
    replay(stage, frames);
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });
});

describe("interleaving 4, 5: writes whose answers are lost, that land late, or are carried out twice", () => {
  const fates = {
    "the answer is lost": { fate: "unanswered", extraMs: 1 },
    "it lands 30 ms after its sender gave up": { fate: "unanswered", extraMs: 55 },
    "it lands 400 ms after its sender gave up": { fate: "unanswered", extraMs: 400 },
    "it is lost": { fate: "lost" },
    "it takes 600 ms": { fate: "slow", extraMs: 600 },
  } as const;
  const kinds = ["prepare", "commit", "decline"] as const;
  const cases = kinds.flatMap((kind) => Object.entries(fates).map(([how, verdict]) => ({ kind, how, verdict })));
  it.each(cases)("$kind: $how", async ({ kind, verdict }) => {
    const stage = await Stage.open({ seed: 41 });
    if (kind === "decline") stage.taps.onFrame("grant", () => LOST, ALWAYS);
    const hit = stage.taps.onWrite(kind, () => verdict);
    const move = stage.move("a", stage.target);
    await stage.until("the write was met", () => hit.times > 0, 3_000, true);
    await stage.until("the move has ended", () => move.end !== undefined, 5_000, true);
    await stage.run(500, { talking: true, stepMs: 10 });
    expect(hit.times).toBe(1);
    expect(move.end?.moved).toBe(kind !== "decline");
    expect(await stage.settle()).toEqual([]);
  });

  it.each(Object.entries(fates))("join and leave of a standby: %s", async (_how, verdict) => {
    const stage = await Stage.open({ seed: 42, nodes: ["a", "b", "c", "d"], talkers: { ann: "a" } });
    const hits = (["leave", "join"] as WriteKind[]).map((kind) => stage.taps.onWrite(kind, () => verdict));
    const { standby } = stage;
    stage.cluster.crash(standby);
    const recorded = () => stage.cluster.slot("a", stage.key)?.cas.record?.inSync.map(nodeIdOf) ?? [];
    await stage.until("another standby is recorded", () => recorded().length === 1 && !recorded().includes(standby), 9_000, true);
    for (const hit of hits) expect(hit.times).toBe(1);
    expect(await stage.settle()).toEqual([]);
  });

  it.each(Object.entries(fates))("a promotion: %s", async (_how, verdict) => {
    const stage = await Stage.open({ seed: 43 });
    const hit = stage.taps.onWrite("promote", () => verdict);
    stage.cluster.crash("a");
    await stage.until("the standby has taken over", () => stage.cluster.ownerOf(stage.key) !== null, 6_000, true);
    expect(hit.times).toBe(1);
    expect(stage.cluster.ownerOf(stage.key)).toBe(stage.standby);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 2, 7: the granter and the heir both want the session", () => {
  it.each([0, 300, 1_000, 1_800, 1_990, 2_400])(
    "the heir's COMMIT lands %i ms late, and it is cut off from the directory",
    async (extraMs) => {
      const stage = await Stage.open({ seed: 51 });
      const { target } = stage;
      stage.taps.onFrame("taken", () => LOST, ALWAYS);
      stage.taps.onFrame("delta", () => LOST, { ...ALWAYS, from: target });
      const hit = stage.taps.onWrite("commit", () => {
        stage.cluster.node(target).directory.faults.down = true;
        return { fate: "unanswered", extraMs };
      });
      stage.move("a", target);
      await stage.until("COMMIT was met", () => hit.times > 0, 3_000, true);
      await stage.run(5_000, { talking: true, stepMs: 50 });
      stage.cluster.node(target).directory.faults.down = false;
      expect(await stage.settle()).toEqual([]);
      expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
    },
  );
});

describe("interleaving 8, 14, 19: the directory or the others cannot be reached", () => {
  it("8: the directory is away from the freeze on, for less than a lease: the session goes on", async () => {
    const stage = await Stage.open({ seed: 61 });
    const down = (yes: boolean) => {
      for (const { directory } of stage.cluster.nodes.values()) directory.faults.down = yes;
    };
    const hit = stage.taps.onFrame("grant", () => {
      down(true);
      return undefined;
    });
    const move = stage.move("a", stage.target);
    await stage.until("the directory is away", () => hit.times > 0, 3_000, true);
    await stage.run(1_000, { talking: true, stepMs: 20 });
    expect(move.end).toEqual({ moved: true });
    expect(stage.cluster.ownerOf(stage.key)).toBe(stage.target);
    down(false);
    expect(await stage.settle()).toEqual([]);
  });

  it("8: owner and heir lose the directory for longer than their leases: a standby takes over, nothing is lost", async () => {
    const stage = await Stage.open({ seed: 62, nodes: ["a", "b", "c", "d"], limits: { standbys: 2 } });
    const hit = stage.taps.onFrame("grant", () => {
      for (const id of ["a", stage.target]) stage.cluster.node(id).directory.faults.down = true;
      return undefined;
    });
    const before = { a: stage.refOf("a"), target: stage.refOf(stage.target) };
    stage.move("a", stage.target);
    await stage.until("the directory is away", () => hit.times > 0, 3_000, true);
    await stage.run(3_000, { talking: true, stepMs: 50 });
    const owner = stage.cluster.ownerOf(stage.key);
    expect(owner).not.toBeNull();
    expect(["a", stage.target]).not.toContain(owner);
    for (const id of ["a", stage.target]) stage.cluster.node(id).directory.faults.down = false;
    await stage.run(3_000, { talking: true, stepMs: 50 });
    // Each came back as somebody else, with nothing.
    expect(stage.refOf("a")).not.toBe(before.a);
    expect(stage.refOf(stage.target)).not.toBe(before.target);
    expect(await stage.settle()).toEqual([]);
  });

  it("10: an owner without the directory stops acting before its lease can end, and comes back as a new incarnation", async () => {
    const stage = await Stage.open({ seed: 63 });
    const before = stage.refOf("a");
    stage.cluster.node("a").directory.faults.down = true;
    let stoppedAt = 0;
    let takenAt = 0;
    for (let ms = 0; ms < 4_000 && takenAt === 0; ms += 5) {
      await stage.run(5, { talking: ms % 50 === 0, stepMs: 5 });
      if (stoppedAt === 0 && !stage.cluster.actingOwners(stage.key).includes(before)) stoppedAt = ms;
      if (stage.cluster.ownerOf(stage.key) === stage.standby) takenAt = ms;
    }
    expect(stoppedAt).toBeGreaterThan(1_000);
    expect(takenAt).toBeGreaterThan(stoppedAt);
    stage.cluster.node("a").directory.faults.down = false;
    await stage.until("it has joined again", () => stage.refOf("a") !== "" && stage.refOf("a") !== before, 5_000, true);
    expect(await stage.settle()).toEqual([]);
  });

  it("14: of an owner that is cut off from everybody nothing is seen, and its standby goes on with all that was", async () => {
    const stage = await Stage.open({ seed: 64 });
    const { cluster } = stage;
    const { address } = cluster.node("a");
    cluster.network.cut(address, "*");
    cluster.network.cut("*", address);
    cluster.node("a").directory.faults.down = true;
    await stage.run(10);
    const ann = stage.talkers[0];
    const heard = ann?.answered;
    await stage.run(1_200, { talking: true, stepMs: 20 });
    expect(stage.roleOf("a")).toBe("owner");
    expect(ann?.answered).toBe(heard); // it runs turns, and releases none
    await stage.until("the standby has taken over", () => cluster.ownerOf(stage.key) === stage.standby, 4_000, true);
    cluster.node("a").directory.faults.down = false;
    expect(await stage.settle()).toEqual([]);
  });

  it.each(["from its standby", "to its standby"])("19: the way %s is cut: nothing is released until it is back", async (way) => {
    const stage = await Stage.open({ seed: 65, talkers: { ann: "a" } });
    const { cluster } = stage;
    const [a, b] = [cluster.node("a").address, cluster.node(stage.standby).address];
    await stage.run(20);
    cluster.network.cut(...((way === "from its standby" ? [b, a] : [a, b]) as [string, string]));
    const heard = stage.talkers[0]?.answered;
    await stage.run(600, { talking: true, stepMs: 20 });
    expect(stage.talkers[0]?.answered).toBe(heard);
    cluster.network.heal();
    expect(await stage.settle()).toEqual([]);
    expect(cluster.ownerOf(stage.key)).toBe("a");
  });

  it.each(["the source", "the target"])(
    "13: %s is cut off from the other side, not from the directory, at each step of a move",
    async (side) => {
      for (const type of ["offer", "accept", "base", "ack", "grant", "taken", "released"] as const) {
        const stage = await Stage.open({ seed: 66 });
        const { cluster, target } = stage;
        const pair: [string, string] = [cluster.node("a").address, cluster.node(target).address];
        const hit = stage.taps.onFrame(
          type,
          () => {
            cluster.network.cut(...((side === "the source" ? pair : pair.toReversed()) as [string, string]));
            return undefined;
          },
          type === "ack" ? { from: target } : {},
        );
        const move = stage.move("a", target);
        await stage.until(`${type} was met`, () => hit.times > 0, 3_000, true);
        await stage.until("the move has ended", () => move.end !== undefined, 40_000, false);
        await stage.run(100, { talking: true, stepMs: 20 });
        expect(await stage.settle({ leftoverMs: 40_000 }), type).toEqual([]);
      }
    },
  );
});

describe("interleaving 11, 13: several die", () => {
  it("13: source and target die and nobody else holds a copy: the session is reported lost, and clients are told", async () => {
    const stage = await Stage.open({ seed: 71, talkers: { ann: "c" } });
    const [ann] = stage.talkers;
    const resets: string[] = [];
    ann?.client.on("reset", ({ reason }) => resets.push(reason));
    const move = stage.move("a", stage.target);
    await stage.until("it has moved", () => move.end !== undefined, 3_000, true);
    await stage.run(50, { talking: true });
    const holders = ["a", "b", "c"].filter((id) => stage.roleOf(id) !== "absent");
    expect(holders).toEqual(["a", "b"]);
    // From here on ann only listens, at a node that holds nothing.
    await stage.run(200);
    expect(ann?.client.stats()).toMatchObject({ openCalls: 0, unackedInputs: 0 });
    expect(ann?.client.endpoint).toBe("sim://c");
    for (const id of holders) stage.cluster.crash(id);
    await stage.run(6_000, { stepMs: 20 });
    const client = await stage.cluster.until(stage.cluster.connect<typeof counter>(stage.key, ["a", "b", "c"]), 20_000);
    const read = await stage.cluster.until(client.call.read());
    expect(read.total).toBe(0);
    expect(stage.cluster.incidents.map(({ code }) => code)).toContain("E_SESSION_LOST");
    expect(resets).toHaveLength(1);
  });

  it("11: two fail-overs in a row, each to a standby that was brought in after the one before", async () => {
    const stage = await Stage.open({ seed: 72, nodes: ["a", "b", "c", "d"] });
    for (let round = 0; round < 2; round++) {
      const owner = stage.cluster.ownerOf(stage.key) as string;
      await stage.until(
        "a standby is recorded",
        () => (stage.cluster.slot(owner, stage.key)?.cas.record?.inSync.length ?? 0) > 0,
        5_000,
        true,
      );
      stage.cluster.crash(owner);
      await stage.until("somebody took over", () => stage.cluster.ownerOf(stage.key) !== null, 8_000, true);
      await stage.restart(owner);
    }
    expect(await stage.settle()).toEqual([]);
  });

  it("12: the source dies after COMMIT, before it could tell its clients", async () => {
    const stage = await Stage.open({ seed: 73, talkers: { ann: "a", bob: "a" } });
    const hit = stage.taps.onFrame("released", () => {
      stage.die("a");
      return LOST;
    });
    stage.move("a", stage.target);
    await stage.until("RELEASED was met", () => hit.times > 0, 3_000, true);
    await stage.run(300, { talking: true, stepMs: 20 });
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe(stage.target);
  });
});

describe("an old epoch's delta after a promotion", () => {
  it("14: is refused, and its sender is told", async () => {
    const stage = await Stage.open({ seed: 81, nodes: ["a", "b", "c", "d"], limits: { standbys: 2 } });
    stage.taps.recording = true;
    await stage.run(30, { talking: true });
    const a: NodeRef = stage.refOf("a");
    const old = stage.taps.frames.filter(({ message }) => message.t === "delta");
    stage.taps.recording = false;
    stage.cluster.crash("a");
    await stage.until("a standby took over", () => stage.cluster.ownerOf(stage.key) !== null, 6_000, true);
    const last = old[old.length - 1]?.message as PeerMessageOf<"delta">;
    for (const id of ["b", "c", "d"]) {
      stage.inject(a, id, last);
      stage.inject(a, id, { ...last, fromVersion: last.fromVersion + 1, fromHash: last.hash });
    }
    expect(await stage.settle()).toEqual([]);
  });
});

async function bounce(stage: Stage, path: readonly string[]): Promise<void> {
  for (let i = 1; i < path.length; i++) {
    const move = stage.move(path[i - 1] as string, path[i] as string);
    await stage.until(`it is at ${path[i]}`, () => move.end !== undefined, 3_000, true);
    expect(move.end).toEqual({ moved: true });
    await stage.run(30, { talking: true });
  }
}

/** Everything that nodes said to each other about who holds the session arrives once more. */
function replay(stage: Stage, frames: Stage["taps"]["frames"]): void {
  for (const { from, to, message } of frames) {
    if (["offer", "grant", "taken", "delta", "base", "ack", "released", "cancel", "drop", "declined", "route"].includes(message.t)) {
      stage.inject(from, nodeIdOf(to), message);
    }
  }
}
