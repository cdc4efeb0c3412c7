import type { Limits, NodeRef, SessionDefinition } from "@sojourn/core";
import { nodeIdOf } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { Stage, type StageOptions } from "./nasty-stage.js";

const suspicious: SessionDefinition = { ...counter, failover: "suspicion" };
/** Whatever happens on suspicion happens long before a lease ends. */
const LIMITS: Partial<Limits> = { leaseTtlMs: 6_000, suspectAfterMs: 300, suspectSettleMs: 0 };
const SOON_MS = 1_500;

function open(options: StageOptions = {}): Promise<Stage> {
  return Stage.open({ definitions: [suspicious], ...options, limits: { ...LIMITS, ...options.limits } });
}

/** Who the directory says owns the session. */
function recorded(stage: Stage) {
  const record = stage.cluster.directory.records.get(stage.key);
  if (record === undefined) throw new Error("there is no record");
  return { ...record, ownerId: nodeIdOf(record.owner), inSyncIds: record.inSync.map(nodeIdOf) };
}

const ended = (stage: Stage, ref: NodeRef) => [...stage.cluster.nodes.values()].some(({ runtime }) => runtime?.host?.isEnded(ref) === true);

/** The link between two nodes is cut, in one direction or both. */
function cut(stage: Stage, from: string, to: string, both = true): void {
  const { network } = stage.cluster;
  const [a, b] = [stage.cluster.node(from).address, stage.cluster.node(to).address];
  network.cut(a, b);
  if (both) network.cut(b, a);
}

/** No other node hears it, nor does it hear any. */
function isolate(stage: Stage, id: string): void {
  const { address } = stage.cluster.node(id);
  stage.cluster.network.cut(address, "*");
  stage.cluster.network.cut("*", address);
}

const third = (stage: Stage) => ["a", "b", "c"].find((id) => id !== "a" && id !== stage.standby) as string;

describe("fail-over on suspicion", () => {
  it("a killed owner is replaced as soon as its host says that it is gone", async () => {
    const stage = await open();
    const before = stage.refOf("a");
    stage.cluster.crash("a");
    await stage.run(100, { talking: true });
    expect(recorded(stage).ownerId).toBe(stage.standby);
    expect(ended(stage, before)).toBe(false);
    expect(await stage.settle()).toEqual([]);
    const { host } = stage.cluster.node(stage.standby).runtime ?? {};
    expect(host?.failovers).toMatchObject({ promoted: 1, promotedOnSuspicion: 1 });
  });

  it("a session that says so waits for the end of the lease, and so does one whose output waits for nobody", async () => {
    const patient: readonly SessionDefinition[] = [
      { ...counter, failover: "lease" },
      { ...suspicious, durability: "eventual" },
    ];
    for (const definition of patient) {
      const stage = await open({ definitions: [definition] });
      stage.cluster.crash("a");
      await stage.run(SOON_MS, { stepMs: 20 });
      expect(recorded(stage).ownerId).toBe("a");
      await stage.until("the standby took over", () => recorded(stage).ownerId === stage.standby, 8_000);
      if (definition.durability === "strong") expect(await stage.settle()).toEqual([]);
    }
  });

  it("an owner that stands still is replaced, and when it wakes it steps down with nothing shown of what it did", async () => {
    for (const wakeAfterMs of [450, 700, 2_000]) {
      const stage = await open({ seed: 40 + wakeAfterMs });
      const { clock, address } = stage.cluster.node("a");
      const before = stage.refOf("a");
      clock.pause();
      stage.cluster.network.still(address, true);
      await stage.run(wakeAfterMs, { talking: true, stepMs: 10 });
      expect(recorded(stage).ownerId).toBe(stage.standby);
      stage.cluster.network.still(address, false);
      clock.wake();
      await stage.run(300, { talking: true, stepMs: 10 });
      expect(stage.refOf("a")).toBe(before); // its lease never ended
      expect(stage.roleOf("a")).not.toBe("owner");
      expect(await stage.settle()).toEqual([]);
    }
  });

  it.each([
    ["both ways", true, false],
    ["what the owner sends", false, false],
    ["what the standby sends", false, true],
  ])("an owner cut from its standby only (%s) is replaced, while its clients and the directory reach it", async (_what, both, reverse) => {
    const stage = await open({ seed: 51, talkers: { ann: "a", bob: "a" } });
    if (reverse) cut(stage, stage.standby, "a", both);
    else cut(stage, "a", stage.standby, both);
    // It waits for the standby that it may have replaced by another meanwhile; either way the session goes on.
    const answered = stage.talkers.map((talker) => talker.answered);
    await stage.until(
      "clients are answered",
      () => stage.talkers.every((talker, i) => talker.answered > (answered[i] ?? 0) + 20),
      4_000,
      true,
    );
    expect(ended(stage, stage.refOf("a"))).toBe(false);
    expect(await stage.settle()).toEqual([]);
  });

  it("owner and standby suspect each other: one write wins, whoever is faster", async () => {
    const owners = new Set<string>();
    for (let seed = 60; seed < 68; seed++) {
      const stage = await open({ seed, talkers: { ann: "a", bob: "b", cid: "c" } });
      stage.cluster.node("a").directory.faults.delayMs = 1 + (seed % 5) * 8;
      stage.cluster.node(stage.standby).directory.faults.delayMs = 1 + ((seed * 3) % 7) * 8;
      cut(stage, "a", stage.standby);
      await stage.run(SOON_MS, { talking: true, stepMs: 10 });
      owners.add(recorded(stage).ownerId === "a" ? "kept" : "taken");
      expect(await stage.settle()).toEqual([]);
    }
    expect([...owners].sort()).toEqual(["kept", "taken"]);
  });

  it("a node that is cut off itself takes nothing over", async () => {
    const stage = await open({ talkers: { ann: "a" } });
    isolate(stage, stage.standby);
    await stage.run(SOON_MS, { talking: true, stepMs: 10 });
    expect(stage.roleOf(stage.standby)).not.toBe("owner");
    // The owner has another copy by now, and need not wait.
    expect(recorded(stage)).toMatchObject({ ownerId: "a", inSyncIds: [third(stage)] });
    const answered = stage.talkers[0]?.answered ?? 0;
    await stage.run(200, { talking: true, stepMs: 10 });
    expect(stage.talkers[0]?.answered).toBeGreaterThan(answered + 10);
    expect(await stage.settle()).toEqual([]);
  });

  it("silence does not count against an owner that has had the session for a short time only; that it is gone does", async () => {
    const stage = await open({ limits: { suspectSettleMs: 60_000 } });
    const { clock, address } = stage.cluster.node("a");
    clock.pause();
    stage.cluster.network.still(address, true);
    await stage.run(SOON_MS, { stepMs: 20 });
    expect(recorded(stage).ownerId).toBe("a");
    stage.cluster.crash("a");
    await stage.run(600, { stepMs: 20 });
    expect(recorded(stage).ownerId).toBe(stage.standby);
    expect(await stage.settle()).toEqual([]);
  });

  it("owner and standby die together: the other standby goes on, and waits for neither", async () => {
    const stage = await open({ nodes: ["a", "b", "c", "d"], limits: { standbys: 2 }, talkers: { ann: "d", bob: "c" } });
    const gone = stage.standby;
    stage.cluster.crash("a");
    stage.cluster.crash(gone);
    const answered = () => stage.talkers.reduce((sum, talker) => sum + talker.answered, 0);
    const before = answered();
    await stage.run(1_500, { talking: true, stepMs: 10 });
    const record = recorded(stage);
    expect(["a", gone]).not.toContain(record.ownerId);
    expect(record.inSyncIds).not.toContain(gone);
    expect(answered()).toBeGreaterThan(before + 20);
    expect(await stage.settle()).toEqual([]);
  });

  it("one dies after the other: whoever took over on suspicion is replaced on suspicion", async () => {
    const stage = await open({ nodes: ["a", "b", "c", "d", "e"], talkers: { ann: "e", bob: "e" } });
    const dead: string[] = [];
    for (let round = 0; round < 3; round++) {
      const { ownerId } = recorded(stage);
      dead.push(ownerId);
      stage.cluster.crash(ownerId);
      await stage.until(
        "another node owns it, with a copy",
        () => {
          const record = recorded(stage);
          return !dead.includes(record.ownerId) && record.inSync.some((ref) => !dead.includes(nodeIdOf(ref)));
        },
        SOON_MS,
        true,
      );
    }
    expect(recorded(stage).epoch).toBe(4);
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
  });

  it("a link that flaps lets the session go to and fro, and no client sees more than one of the two", async () => {
    for (const seed of [90, 91, 92, 93]) {
      const stage = await open({ seed, talkers: { ann: "a", bob: "b", cid: "c" } });
      for (let round = 0; round < 8; round++) {
        const { ownerId, inSyncIds } = recorded(stage);
        const standby = inSyncIds[0];
        if (standby !== undefined) cut(stage, ownerId, standby, round % 2 === 0);
        await stage.run(320 + round * 37, { talking: true, stepMs: 10 });
        stage.cluster.network.heal();
        await stage.run(150, { talking: true, stepMs: 10 });
      }
      expect(recorded(stage).epoch).toBeGreaterThan(3);
      expect(await stage.settle()).toEqual([]);
    }
  });

  it("a standby in a process that is gone holds nobody up", async () => {
    const stage = await open({ talkers: { ann: "a" } });
    const [ann] = stage.talkers;
    stage.cluster.crash(stage.standby);
    const answered = ann?.answered ?? 0;
    await stage.run(300, { talking: true });
    expect(ann?.answered).toBeGreaterThan(answered + 50);
    expect(recorded(stage).inSyncIds).not.toContain(stage.standby);
    expect(await stage.settle()).toEqual([]);
  });

  it("an heir that suspects its granter declines at once, and goes on with the session as a standby", async () => {
    const stage = await open({ nodes: ["a", "b", "c", "d"], limits: { heirDeadlineMs: 5_000 } });
    const { target } = stage;
    const hit = stage.taps.onFrame("grant", () => {
      stage.die("a");
      return { copies: 0, extraMs: 0 };
    });
    stage.move("a", target);
    await stage.until("it was granted", () => hit.times > 0, 2_000, true);
    await stage.until("somebody else owns it", () => !["a"].includes(recorded(stage).ownerId), SOON_MS, true);
    expect(recorded(stage).epoch).toBe(4);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("an owner that was replaced on suspicion and does not know", () => {
  /** The standby has taken over; the old owner is cut from everybody but its clients, and from the directory. */
  async function replaced(options: StageOptions = {}) {
    const stage = await open({ seed: 71, talkers: { ann: "a", bob: "c" }, ...options });
    isolate(stage, "a");
    stage.cluster.node("a").directory.faults.down = true;
    await stage.until("the standby took over", () => recorded(stage).ownerId === stage.standby, SOON_MS);
    expect(stage.roleOf("a")).toBe("owner");
    return stage;
  }

  it("shows its clients nothing, and lets none of them attach", async () => {
    const stage = await replaced();
    const ann = stage.talkers[0];
    const answered = ann?.answered;
    const late = stage.cluster.connect(stage.key, ["a"]);
    let welcomed = false;
    late.then(
      () => {
        welcomed = true;
      },
      () => undefined,
    );
    await stage.run(800, { talking: true, stepMs: 10 });
    expect(stage.cluster.slot("a", stage.key)?.owner?.version).toBeGreaterThan(stage.cluster.slot("a", stage.key)?.owner?.released ?? 0);
    expect({ answered: ann?.answered, welcomed }).toEqual({ answered, welcomed: false });
    stage.cluster.node("a").directory.faults.down = false;
    expect(await stage.settle()).toEqual([]);
    await stage.cluster.until(late.then((client) => client.close()));
  });

  it("is told by a fence when it feeds its copy again, and asks the directory", async () => {
    const stage = await replaced();
    stage.cluster.network.heal();
    await stage.run(400, { talking: true, stepMs: 10 });
    expect(stage.roleOf("a")).toBe("owner"); // only the directory decides what a newer epoch means
    stage.cluster.node("a").directory.faults.down = false;
    await stage.run(200, { talking: true, stepMs: 10 });
    expect(stage.roleOf("a")).not.toBe("owner");
    expect(await stage.settle()).toEqual([]);
  });

  it("learns it by the write that fails, before it acts on that: whom it was recording has taken over, and is still waited for", async () => {
    const stage = await open({ seed: 73, nodes: ["a", "b", "c", "d"], talkers: { ann: "a" } });
    const { faults } = stage.cluster.node("a").directory;
    let recruit = "";
    const join = stage.taps.onWrite("join", ({ draft }) => {
      recruit = nodeIdOf(draft.inSync.at(-1) as NodeRef);
      const done = () => {
        faults.down = true;
      };
      return { fate: "unanswered", extraMs: 5, done };
    });
    stage.cluster.crash(stage.standby);
    await stage.until("a new copy is recorded", () => join.times > 0 && recorded(stage).inSyncIds.includes(recruit), SOON_MS, true);
    isolate(stage, "a");
    await stage.until("the new copy took over", () => recorded(stage).ownerId === recruit, SOON_MS, true);
    const ann = stage.talkers[0];
    const answered = ann?.answered;
    await stage.run(100, { talking: true });
    faults.down = false; // the write is sent again, and meets the record of the copy that has taken over
    await stage.until("the old owner knows", () => stage.roleOf("a") !== "owner", SOON_MS, true);
    expect(ann?.answered).toBe(answered);
    expect(await stage.settle()).toEqual([]);
  });
});
