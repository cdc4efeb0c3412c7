import type { PeerMessage } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import type { Verdict } from "./faults.js";
import { Stage } from "./nasty-stage.js";

const FATES: Readonly<Record<string, Verdict>> = {
  lost: { copies: 0, extraMs: 0 },
  doubled: { copies: 2, extraMs: 0 },
  "doubled, late": { copies: 2, extraMs: 150 },
  "50 ms late": { copies: 1, extraMs: 50 },
  "300 ms late": { copies: 1, extraMs: 300 },
  "2000 ms late": { copies: 1, extraMs: 2_000 },
};
/** Every message of a hand-over that succeeds, in the order of the steps. */
const STEPS = ["offer", "accept", "base", "ack", "delta", "grant", "taken", "input", "released", "route", "output", "drop"] as const;

describe("a frame of a planned move is lost, doubled or late: the move ends and every message is handled once", () => {
  const cases = STEPS.flatMap((type) => Object.entries(FATES).map(([fate, verdict]) => ({ type, fate, verdict })));
  it.each(cases)("$type $fate", async ({ type, verdict }) => {
    const stage = await Stage.open({ seed: 11 });
    const hit = stage.taps.onFrame(isOfMove(type, stage.target), () => verdict);
    const move = stage.move("a", stage.target);
    await stage.run(60, { talking: true });
    await stage.until("the move has ended", () => move.end !== undefined, 6_000, true);
    await stage.until("the frame was met", () => hit.times > 0, 3_000, true);
    await stage.run(30, { talking: true });
    expect(hit.times).toBe(1);
    // No single fault with a message makes a move fail, save an offer's answer that comes too late.
    expect(move.end?.moved, stage.describe()).toBe(true);
    expect(await stage.settle()).toEqual([]);
  });
});

/** A move in which the target does not get its GRANT in time, and declines [7]. */
const DECLINE_STEPS = ["cancel", "declined", "fence"] as const;

describe("a frame of a move that is declined is lost, doubled or late: the session runs at its source again", () => {
  const cases = DECLINE_STEPS.flatMap((type) => Object.entries(FATES).map(([fate, verdict]) => ({ type, fate, verdict })));
  it.each(cases)("$type $fate", async ({ type, verdict }) => {
    const stage = await Stage.open({ seed: 12 });
    // The GRANT is held back until the target has declined; a late one is answered with a fence.
    stage.taps.onFrame("grant", () => ({ copies: 1, extraMs: 1_500 }), { times: 100 });
    // A move of which the target's answer is never heard is given up by a cancel.
    if (type === "cancel") stage.taps.onFrame("accept", () => ({ copies: 0, extraMs: 0 }), { times: 100 });
    const hit = stage.taps.onFrame(type, () => verdict);
    const move = stage.move("a", stage.target);
    await stage.run(40, { talking: true });
    await stage.until("the move has ended", () => move.end !== undefined, 9_000, true);
    await stage.until("the frame was met", () => hit.times > 0, 6_000, true);
    expect(hit.times).toBe(1);
    expect(move.end?.moved).toBe(false);
    // A target that never hears of the end frees its room at the deadline.
    expect(await stage.settle({ leftoverMs: 40_000 })).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });
});

/** What passes between an ingress and the owner while clients come, go and switch. */
const TRAFFIC = ["attach", "attached", "detach", "linkAck", "input", "output", "unlink"] as const;

describe("plane#749: a frame of clients' traffic over another node is lost, doubled or late: each message is handled once", () => {
  const cases = TRAFFIC.flatMap((type) => Object.entries(FATES).map(([fate, verdict]) => ({ type, fate, verdict })));
  it.each(cases)("$type $fate", async ({ type, verdict }) => {
    const stage = await Stage.open({ seed: 13, nodes: ["a", "b", "c", "d"], talkers: { ann: "c", bob: "d" } });
    const hit = stage.taps.onFrame(type, () => verdict);
    const gone = await stage.cluster.until(stage.cluster.connect(stage.key, ["d"]));
    const move = stage.move("a", stage.target);
    await stage.run(20, { talking: true });
    // Everybody comes back, over other nodes than the owner; one client has gone.
    gone.close();
    for (const id of ["a", "b", "c", "d"]) stage.cluster.sockets.cutAll(stage.cluster.node(id).endpoint);
    await stage.until("the move has ended", () => move.end !== undefined, 6_000, true);
    await stage.until("the frame was met", () => hit.times > 0, 3_000, true);
    expect(hit.times).toBe(1);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });
});

/** Deltas and acknowledgements also flow to the standby that is there already: those of the move are between `a` and the target. */
function isOfMove(type: PeerMessage["t"], target: string) {
  return ({ from, to, message }: { from: string; to: string; message: PeerMessage }) => {
    if (message.t !== type) return false;
    if (type === "ack") return from.startsWith(target);
    if (type === "delta" || type === "input") return to.startsWith(target);
    return true;
  };
}
