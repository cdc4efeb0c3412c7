import { describe, expect, it, vi } from "vitest";
import { Stage } from "./nasty-stage.js";

describe("a lease that ran out and had not ended", () => {
  it("everything stands still for longer than all leases, the directory too: every node goes on with what it holds", async () => {
    const stage = await Stage.open({ seed: 331, nodes: ["a", "b", "c"] });
    const before = ["a", "b", "c"].map((id) => stage.refOf(id));
    stage.cluster.clock.stall(6_000);
    await stage.run(2_000, { talking: true, stepMs: 20 });
    expect(["a", "b", "c"].map((id) => stage.refOf(id))).toEqual(before);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
    const codes = stage.cluster.incidents.map(({ code }) => code);
    expect(codes.filter((code) => code === "E_LEASE_LAPSED")).toHaveLength(3);
    expect(codes).not.toContain("E_SESSION_LOST");
    expect(await stage.settle()).toEqual([]);
  });

  it("turns that waited run, and output that waited leaves, once it is renewed after all", async () => {
    const stage = await Stage.open({ seed: 332, limits: { standbys: 0 } });
    const host = stage.cluster.node("a").runtime?.host;
    if (host == null) throw new Error("a is down");
    const valid = vi.spyOn(host, "leaseValid").mockReturnValue(false);
    const answered = () => stage.talkers.map((talker) => talker.answered);
    await stage.run(50); // what is under way
    const before = answered();
    await stage.run(200, { talking: true, stepMs: 20 });
    expect(answered()).toEqual(before);
    valid.mockRestore();
    host.resume();
    await stage.run(200);
    expect(answered().every((count, i) => count > (before[i] ?? 0))).toBe(true);
    expect(await stage.settle()).toEqual([]);
  });

  it("a turn that is acknowledged after it ran out is released only once it is renewed after all", async () => {
    const stage = await Stage.open({ seed: 334, talkers: { ann: "a" } });
    const host = stage.cluster.node("a").runtime?.host;
    const ann = stage.talkers[0];
    if (host == null || ann === undefined) throw new Error("a is down");
    await stage.run(50); // what is under way
    const before = ann.answered;
    const valid = vi.spyOn(host, "leaseValid");
    const sent = stage.taps.onFrame("delta", () => void valid.mockReturnValue(false), { from: "a" });
    stage.say(ann);
    await stage.run(200, { stepMs: 5 });
    expect(sent.times).toBe(1);
    const feeds = [...(stage.cluster.slot("a", stage.key)?.owner?.feeds.values() ?? [])];
    expect(feeds.map(({ acked }) => acked)).toEqual([stage.cluster.slot("a", stage.key)?.owner?.version]);
    // Everybody who took over may have died meanwhile, so that the session was lost and has begun anew.
    expect(ann.answered).toBe(before);
    valid.mockRestore();
    host.resume();
    await stage.run(50);
    expect(ann.answered).toBe(before + 1);
    expect(await stage.settle()).toEqual([]);
  });

  it("a standby that could not take over when the owner's lease ended does so when it may act again", async () => {
    const stage = await Stage.open({ seed: 333 });
    const { cluster, standby } = stage;
    const host = cluster.node(standby).runtime?.host;
    if (host == null) throw new Error("the standby is down");
    const valid = vi.spyOn(host, "leaseValid").mockReturnValue(false);
    const before = stage.refOf("a");
    cluster.crash("a");
    await stage.until("the owner's lease has ended", () => host.isEnded(before), 10_000);
    await stage.run(1_000, { stepMs: 20 });
    expect(cluster.ownerOf(stage.key)).toBeNull();
    valid.mockRestore();
    host.resume();
    await stage.until("the standby took over", () => cluster.ownerOf(stage.key) === standby, 2_000);
    expect(await stage.settle()).toEqual([]);
  });
});
