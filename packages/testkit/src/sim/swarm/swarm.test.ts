import { describe, expect, it } from "vitest";
import { drawPlan } from "./draw-plan.js";
import { FAULTS, type SeedPlan, WORKLOADS } from "./plan.js";
import { runPlan, runSeed } from "./run-seed.js";

describe("a seed", () => {
  it("keeps every promise", async () => {
    for (const seed of [2, 3, 4, 5, 6, 7]) expect((await runSeed(seed)).problems, `seed ${seed}`).toEqual([]);
  });

  it("runs the same every time", async () => {
    const [one, two] = [await runSeed(3), await runSeed(3)];
    expect(two.traceHash).toBe(one.traceHash);
    expect(two.events).toBe(one.events);
  });

  it("differs from another", async () => {
    expect((await runSeed(3)).traceHash).not.toBe((await runSeed(4)).traceHash);
  });

  it("draws the same plan every time, as plain data", () => {
    expect(JSON.parse(JSON.stringify(drawPlan(9)))).toEqual(JSON.parse(JSON.stringify(drawPlan(9))));
  });

  it("draws every fault and every kind of work sooner or later", () => {
    const plans = Array.from({ length: 200 }, (_, seed) => drawPlan(seed));
    for (const fault of FAULTS)
      expect(
        plans.some(({ faults }) => faults.includes(fault)),
        fault,
      ).toBe(true);
    for (const work of WORKLOADS)
      expect(
        plans.some(({ workloads }) => workloads.includes(work)),
        work,
      ).toBe(true);
  });

  it("tells what was broken on purpose", async () => {
    // Nobody renews a lease: whoever holds sessions acts past its end or loses them.
    const plan = { ...drawPlan(2), events: [] };
    const { problems } = await runPlan(plan, {
      onNode: (node) => {
        node.directory.renew = async () => undefined as never;
      },
    });
    expect(problems).not.toEqual([]);
  });

  it("ends its sessions when nobody's hello waits that would begin them anew", async () => {
    // A thief says a hello at a node that nobody hears: it waits there while the others come to the end.
    const thieves: SeedPlan = {
      ...drawPlan(224_721),
      nodes: 3,
      rates: [],
      sessions: [{ clients: 1, talkMs: 60_000, home: 1 }],
      activeMs: 5_000,
      events: [
        { atMs: 2_000, do: "cutOneWay", node: 0, other: 3, forMs: 4_000 },
        { atMs: 4_700, do: "stolenToken", node: 0, amount: 0 },
      ],
    };
    expect((await runPlan(thieves)).problems).toEqual([]);
  });
});
