import { describe, expect, it } from "vitest";
import { drawPlan } from "./draw-plan.js";
import type { PlannedEvent, SeedPlan } from "./plan.js";
import { runPlan } from "./run-seed.js";
import { kindOf, shrink } from "./shrink.js";

/** A made-up simulator: something is wrong when what it needs is there. */
const needs = (holds: (plan: SeedPlan) => boolean) => async (plan: SeedPlan) => (holds(plan) ? ["I9: as made up"] : []);
const has = (plan: SeedPlan, what: PlannedEvent["do"]) => plan.events.some((event) => event.do === what);
/** A plan with much in it. */
const plan: SeedPlan = {
  ...drawPlan(5, { nodes: 5 }),
  sessions: [0, 1, 2].map((home) => ({ clients: 3, talkMs: 900, home })),
  activeMs: 60_000,
  events: Array.from({ length: 200 }, (_, i) => ({
    atMs: 100 + i * 250,
    do: (["move", "burst", "crash", "pause", "cross"] as const)[i % 5] ?? "move",
    ...(i % 5 < 2 || i % 5 === 4 ? { session: i % 3 } : {}),
    node: i % 5,
    other: (i + 1) % 3,
  })),
};

describe("shrinking a plan", () => {
  it("leaves what the problem needs and nothing else", async () => {
    const run = needs((one) => has(one, "crash") && has(one, "pause") && one.network.latencyMs > 0);
    const shrunk = await shrink(plan, { run, maxRuns: 2_000 });
    expect(shrunk?.plan.events.map((event) => event.do).sort()).toEqual(["crash", "pause"]);
    expect(shrunk?.plan.sessions).toHaveLength(1);
    expect(shrunk?.plan.sessions[0]?.clients).toBe(1);
    expect(shrunk?.plan.nodes).toBe(2);
    expect(shrunk?.plan.activeMs).toBeLessThan(10_000);
    expect(shrunk).toMatchObject({ kind: "I9", smallest: true, problems: ["I9: as made up"] });
  });

  it("gives the same result every time", async () => {
    const run = needs((one) => has(one, "cross"));
    expect(await shrink(plan, { run, maxRuns: 300 })).toEqual(await shrink(plan, { run, maxRuns: 300 }));
  });

  it("keeps within its runs", async () => {
    let runs = 0;
    const run = async () => {
      runs++;
      return ["I9: always"];
    };
    const shrunk = await shrink(plan, { run, maxRuns: 7 });
    expect(runs).toBe(7);
    expect(shrunk).toMatchObject({ runs: 7, smallest: false });
  });

  it("does not take another problem for the same", async () => {
    const run = async (one: SeedPlan) => (has(one, "pause") ? ["I9: this one"] : ["liveness: another"]);
    const shrunk = await shrink(plan, { run, maxRuns: 1_000 });
    expect(shrunk?.plan.events.map((event) => event.do)).toEqual(["pause"]);
  });

  it("moves events up with their sessions", async () => {
    const late = { ...plan, events: [{ atMs: 10, do: "move", session: 2, node: 1 } as const] };
    const shrunk = await shrink(late, { run: needs((one) => has(one, "move")), maxRuns: 500 });
    expect(shrunk?.plan.events).toEqual([{ atMs: 10, do: "move", session: 0, node: 1 }]);
  });

  it("has nothing to do where nothing is wrong", async () => {
    expect(await shrink(plan, { run: async () => [], maxRuns: 10 })).toBeNull();
  });

  it("finds what a real bug needs: a node that was restarted renews no lease", async () => {
    const run = async (one: SeedPlan) => {
      const started = new Set<string>();
      const { problems } = await runPlan(one, {
        onNode: (node) => {
          if (started.has(node.id)) node.directory.renew = async () => undefined as never;
          started.add(node.id);
        },
      });
      return problems;
    };
    // A session in a store is restored at the end, by nodes that are restarted for it: no event is needed for that.
    const shrunk = await shrink(drawPlan(1, { strategy: "replica" }), { run, maxRuns: 150 });
    expect(shrunk).not.toBeNull();
    expect(shrunk?.plan.events.length).toBeLessThanOrEqual(4);
    expect(shrunk?.plan.events.some((event) => /crash|rolling/i.test(event.do))).toBe(true);
  });

  it("takes the kind of a problem from its beginning", () => {
    expect(kindOf("I4: the link of a: gone")).toBe("I4");
    expect(kindOf("no colon at all")).toBe("no colon at all");
  });
});
