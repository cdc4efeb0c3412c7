import { describe, expect, it } from "vitest";
import { drawPlan } from "./draw-plan.js";
import type { SeedPlan } from "./plan.js";

const plans = Array.from({ length: 1_500 }, (_, seed) => drawPlan(seed));
const has = (plan: SeedPlan, what: SeedPlan["events"][number]["do"]) => plan.events.some((event) => event.do === what);

describe("what is drawn apart from the rest", () => {
  it("lets clients of some seeds reach one node only", () => {
    const walled = plans.filter(({ workloads }) => workloads.includes("walled"));
    expect(walled.length).toBeGreaterThan(50);
    expect(walled.length).toBeLessThan(250);
    expect(drawPlan(walled[0]?.seed ?? 0, { workloads: ["chat"] }).workloads).not.toContain("walled");
  });

  it("has owners die at a claim only where sessions end, are kept in a store and things go wrong", () => {
    const dying = plans.filter(({ events }) => events.some(({ moment }) => moment === "claim"));
    expect(dying.length).toBeGreaterThan(5);
    for (const plan of dying) {
      expect(plan.store).toBeDefined();
      expect(plan.workloads).toContain("sessionEnd");
      expect(plan.faults).not.toEqual([]);
    }
  });

  it("takes the directory only from machines that sleep and have a store", () => {
    const blind = plans.filter(({ events }) => events.some((event) => event.do === "sleep" && event.amount !== undefined));
    expect(blind.length).toBeGreaterThan(0);
    for (const plan of blind) expect([plan.store !== undefined, plan.faults.includes("sleep")]).toEqual([true, true]);
  });

  it("brings old answers back where old messages come again", () => {
    for (const plan of plans) expect(has(plan, "oldAnswer"), `seed ${plan.seed}`).toBe(plan.faults.includes("replay"));
  });
});
