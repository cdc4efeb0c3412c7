import { type NodeRef, resolveLimits } from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, it } from "vitest";
import { Suspicions } from "./suspicions.js";

function stage(others: readonly NodeRef[]) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const limits = resolveLimits({ suspectAfterMs: 300 });
  const suspicions: Suspicions = new Suspicions({
    clock,
    limits,
    others: () => others,
    slots: () => [{ onSuspected: (ref) => told.push(`${ref} ${suspicions.of(ref)}`) }],
  });
  return { clock, suspicions, take: () => told.splice(0) };
}

describe("suspicions", () => {
  it("a node whose process is gone is suspected at once, and again and again, until it answers", async () => {
    const { clock, suspicions, take } = stage(["b#1"]);
    suspicions.note("b#1", "gone");
    expect(take()).toEqual(["b#1 gone"]);
    await clock.run(250);
    expect(take()).toEqual(["b#1 gone", "b#1 gone"]);
    suspicions.note("b#1", "answering");
    await clock.run(1_000);
    expect({ told: take(), is: suspicions.of("b#1"), count: suspicions.count }).toEqual({ told: [], is: "none", count: 1 });
  });

  it("silence counts while at least half of the others answer, once there was time to notice that they do not", async () => {
    const { clock, suspicions, take } = stage(["b#1", "c#1"]);
    suspicions.note("b#1", "silent");
    expect(suspicions.of("b#1")).toBe("none");
    await clock.run(101);
    expect(take()).toEqual(["b#1 silent"]);
    suspicions.note("c#1", "silent");
    await clock.run(500);
    expect([suspicions.of("b#1"), suspicions.of("c#1"), take()]).toEqual(["none", "none", []]);
    // One of them is gone for certain: it says nothing about whether this node is cut off.
    suspicions.note("c#1", "gone");
    await clock.run(101);
    expect(suspicions.of("b#1")).toBe("none");
    suspicions.note("c#1", "answering");
    expect(suspicions.of("b#1")).toBe("silent");
    expect(suspicions.count).toBe(3);
  });

  it("of two nodes neither judges the other by its silence", async () => {
    const { clock, suspicions, take } = stage(["b#1"]);
    suspicions.note("b#1", "silent");
    await clock.run(5_000);
    expect(take()).toEqual([]);
  });

  it("takes a supervisor's word for a while, and forgets who has ended", async () => {
    const { clock, suspicions, take } = stage(["b#1", "c#1"]);
    suspicions.accuse("b#1");
    expect(take()).toEqual(["b#1 gone"]);
    await clock.run(301);
    expect(suspicions.of("b#1")).toBe("none");
    suspicions.note("c#1", "gone");
    suspicions.forget("c#1");
    take();
    await clock.run(1_000);
    expect(take()).toEqual([]);
  });
});
