import { drawPlan } from "../sim/swarm/draw-plan.js";
import type { Fault, PlannedEvent, SeedPlan, Workload } from "../sim/swarm/plan.js";

/**
 * What a seed must have in its plan to be able to show a mutant: a fault or a kind of work that is on, an event that is planned, sessions
 * that are kept in a store, copies that take over on suspicion, copies at all.
 */
export type Need = Fault | Workload | PlannedEvent["do"] | "store" | "suspicion" | "copies";

/** Seeds beyond this one are not looked at. */
const LAST_SEED = 200_000;

function has(plan: SeedPlan, need: Need): boolean {
  if (need === "store") return plan.store?.strategy === "hybrid";
  if (need === "suspicion") return plan.failover === "suspicion";
  if (need === "copies") return plan.store?.strategy !== "hybrid" && (plan.limits.standbys ?? 1) > 0;
  return (
    plan.faults.some((on) => on === need) || plan.workloads.some((on) => on === need) || plan.events.some((event) => event.do === need)
  );
}

/** Whether a plan has all that is asked for. Of several in one place any one will do. */
export function meets(plan: SeedPlan, needs: readonly (Need | readonly Need[])[]): boolean {
  return needs.every((need) => (typeof need === "string" ? has(plan, need) : need.some((one) => has(plan, one))));
}

/** The first seed after this one whose plan has all that is asked for; null when there is none. Plans are drawn, and nothing is run. */
export function nextSeed(after: number, needs: readonly (Need | readonly Need[])[]): number | null {
  if (needs.length === 0) return after + 1;
  for (let seed = after + 1; seed <= LAST_SEED; seed++) if (meets(drawPlan(seed), needs)) return seed;
  return null;
}
