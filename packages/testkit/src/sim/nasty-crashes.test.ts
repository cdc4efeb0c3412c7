import { nodeIdOf, type PeerMessage } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { Stage } from "./nasty-stage.js";
import type { WriteKind } from "./taps.js";

/** The messages between the two sides of a move, in the order of the steps. */
const MESSAGES = ["offer", "accept", "base", "ack", "delta", "grant", "taken", "released"] as const;
const WRITES = ["prepare", "commit"] as const;
const MOMENTS = ["before", "after"] as const;
const VICTIMS = ["source", "target", "both", "a third standby"] as const;
type Victim = (typeof VICTIMS)[number];

const NODES = ["a", "b", "c", "d"];

/** A session with two standbys besides the target, so that even both sides of a move may die. */
const open = (seed: number) => Stage.open({ seed, nodes: NODES, limits: { standbys: 2 }, talkers: { ann: "a", bob: "d" } });

function victims(stage: Stage, victim: Victim): string[] {
  switch (victim) {
    case "source":
      return ["a"];
    case "target":
      return [stage.target];
    case "both":
      return ["a", stage.target];
    case "a third standby":
      return [stage.standby];
  }
}

/** The clients talk on until the dead nodes' leases have ended; then the nodes come back with nothing, and everything must be well. */
async function live(stage: Stage, dead: readonly string[]): Promise<void> {
  await stage.run(60, { talking: true });
  await stage.until("somebody owns the session", () => stage.cluster.ownerOf(stage.key) !== null, 8_000);
  for (const id of dead) await stage.restart(id);
  await stage.run(40, { talking: true });
  const problems = await stage.settle();
  expect(problems).toEqual([]);
  expect(stage.cluster.incidents.filter(({ code }) => code === "E_SESSION_LOST")).toEqual([]);
}

describe("a node dies at a message of a move: one owner, and nothing that was answered is lost", () => {
  const cases = MESSAGES.flatMap((type) => MOMENTS.flatMap((moment) => VICTIMS.map((victim) => ({ type, moment, victim }))));
  it.each(cases)("$victim dies $moment $type", async ({ type, moment, victim }) => {
    const stage = await open(21);
    const dead = victims(stage, victim);
    const hit = stage.taps.onFrame(ofMove(type, stage.target), () => {
      if (moment === "before") {
        for (const id of dead) stage.die(id);
        return victim === "a third standby" ? undefined : { copies: 0, extraMs: 0 };
      }
      // It arrives, is handled, and then they die.
      stage.cluster.clock.schedule(stage.cluster.network.plan.latencyMs + 0.01, () => {
        for (const id of dead) stage.die(id);
      });
      return undefined;
    });
    const move = stage.move("a", stage.target);
    await stage.until("the message was met", () => hit.times > 0, 5_000, true);
    expect(hit.times).toBe(1);
    await live(stage, dead);
    if (!dead.includes("a")) expect(move.end).toBeDefined();
  });
});

describe("a node dies at a write of a move: one owner, and nothing that was answered is lost", () => {
  const cases = WRITES.flatMap((kind) => MOMENTS.flatMap((moment) => VICTIMS.map((victim) => ({ kind, moment, victim }))));
  it.each(cases)("$victim dies $moment $kind", async ({ kind, moment, victim }) => {
    const stage = await open(22);
    await dieAtWrite(stage, kind, moment, victims(stage, victim), () => stage.move("a", stage.target));
  });

  it.each(MOMENTS)("the heir dies %s its decline", async (moment) => {
    const stage = await open(23);
    stage.taps.onFrame("grant", () => ({ copies: 0, extraMs: 0 }), { times: 1_000 });
    await dieAtWrite(stage, "decline", moment, [stage.target], () => stage.move("a", stage.target));
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });

  it.each(MOMENTS)("the source dies %s it takes the session back from a dead heir", async (moment) => {
    const stage = await open(24);
    const { target } = stage;
    stage.taps.onFrame("taken", () => ({ copies: 0, extraMs: 0 }), { times: 1_000, from: target });
    stage.taps.onFrame("delta", () => ({ copies: 0, extraMs: 0 }), { times: 1_000, from: target });
    stage.taps.onWrite("commit", () => {
      stage.die(target);
      return { fate: "lost" };
    });
    await dieAtWrite(stage, "takeBack", moment, ["a"], () => stage.move("a", target), [target]);
  });

  it.each(MOMENTS)("a standby dies %s it promotes itself after the owner's death", async (moment) => {
    const stage = await open(25);
    const hit = stage.taps.onWrite("promote", ({ by }) => {
      const id = nodeIdOf(by);
      if (moment === "before") {
        stage.die(id);
        return { fate: "lost" };
      }
      return { fate: "unanswered", extraMs: 1, done: () => stage.die(id) };
    });
    stage.cluster.crash("a");
    await stage.until("a standby wants to take over", () => hit.times > 0, 6_000, true);
    expect(hit.times).toBe(1);
    await live(stage, ["a"]);
  });
});

async function dieAtWrite(
  stage: Stage,
  kind: WriteKind,
  moment: "before" | "after",
  dead: readonly string[],
  begin: () => unknown,
  alsoDead: readonly string[] = [],
): Promise<void> {
  const die = () => {
    for (const id of dead) stage.die(id);
  };
  const hit = stage.taps.onWrite(kind, ({ by }) => {
    const writerDies = dead.includes(nodeIdOf(by));
    if (moment === "before") {
      die();
      return writerDies ? { fate: "lost" } : undefined;
    }
    if (writerDies) return { fate: "unanswered", extraMs: 1, done: die };
    stage.cluster.clock.schedule(5, die);
    return undefined;
  });
  begin();
  await stage.until(`the write ${kind} was met`, () => hit.times > 0, 8_000, true);
  expect(hit.times).toBe(1);
  await live(stage, [...dead, ...alsoDead]);
}

/** Deltas and acknowledgements also flow to the other standbys: those of the move are between `a` and the target. */
function ofMove(type: PeerMessage["t"], target: string) {
  return ({ from, to, message }: { from: string; to: string; message: PeerMessage }) => {
    if (message.t !== type) return false;
    if (type === "ack") return from.startsWith(target);
    if (type === "delta") return to.startsWith(target);
    return true;
  };
}
