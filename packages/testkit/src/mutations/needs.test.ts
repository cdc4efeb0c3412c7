import { describe, expect, it } from "vitest";
import { drawPlan } from "../sim/swarm/draw-plan.js";
import { mutants } from "./catalogue.js";
import { meets, nextSeed } from "./needs.js";

describe("what a mutant needs of a seed", () => {
  it("is looked for in the faults, the work, the events and the kind of the plan", () => {
    const plan = { ...drawPlan(1), faults: ["loss" as const], workloads: ["chat" as const], events: [{ atMs: 5, do: "crash" as const }] };
    expect(meets(plan, ["loss", "chat", "crash"])).toBe(true);
    expect(meets(plan, ["loss", "pause"])).toBe(false);
    expect(meets(plan, [["pause", "loss"], "chat"])).toBe(true);
    expect(meets(plan, [["pause", "timers"], "chat"])).toBe(false);
  });

  it("tells sessions in a store from those with copies", () => {
    const inMemory = drawPlan(1, { strategy: "replica", limits: { standbys: 1 } });
    const inStore = drawPlan(1, { strategy: "hybrid" });
    expect([meets(inMemory, ["store"]), meets(inMemory, ["copies"])]).toEqual([false, true]);
    expect([meets(inStore, ["store"]), meets(inStore, ["copies"])]).toEqual([true, false]);
    expect(meets(drawPlan(1, { strategy: "replica", limits: { standbys: 0 } }), ["copies"])).toBe(false);
  });

  it("names the next seed that has it", () => {
    expect(nextSeed(7, [])).toBe(8);
    const seed = nextSeed(0, ["timers", "crash"]) as number;
    expect(meets(drawPlan(seed), ["timers", "crash"])).toBe(true);
    for (let before = 1; before < seed; before++) expect(meets(drawPlan(before), ["timers", "crash"])).toBe(false);
  });

  it("can be had by some seed, for every mutant", () => {
    for (const { id, needs = [] } of mutants) expect(nextSeed(0, needs), id).not.toBeNull();
  });
});
