import { Dice } from "./dice.js";
import type { DrawOptions } from "./draw-options.js";
import type { PlannedEvent, SeedPlan } from "./plan.js";

/** Of all seeds. */
const WALLED_SHARE = 0.08;

/**
 * Adds to a plan, drawn apart from the rest, that each client reaches one node only, so that its session is always a relay away once that
 * has moved; and, where sessions end and are kept in a store, that owners die as soon as they have claimed a session. Machines that
 * sleep lose their connection to the directory in seeds with a store. Where old messages are said again, answers to earlier GRANTs are.
 */
export function drawFurther(plan: SeedPlan, { faults, workloads }: DrawOptions): SeedPlan {
  const dice = new Dice(Math.imul(plan.seed, 0x7feb352d) ^ 0x1b873593);
  const walled = dice.chance(WALLED_SHARE) && workloads?.includes("walled") !== false && !plan.workloads.includes("crowd");
  const dying =
    plan.store !== undefined &&
    plan.workloads.includes("sessionEnd") &&
    plan.faults.length > 0 &&
    faults?.includes("crashAtStep") !== false;
  const events: PlannedEvent[] = [];
  if (dying) {
    for (let atMs = 500 + dice.next() * 8_000; atMs < plan.activeMs; atMs += 8_000 * (0.3 + 1.4 * dice.next()))
      events.push({ atMs: Math.round(atMs), do: "crashAtStep", moment: "claim", amount: 0, forMs: Math.round(dice.log(50, 5_000)) });
  }
  if (plan.store !== undefined && plan.faults.includes("sleep")) {
    const leaseMs = plan.limits.leaseTtlMs ?? 10_000;
    for (let atMs = 1_000 + dice.next() * 8_000; atMs < plan.activeMs; atMs += 8_000 * (0.3 + 1.4 * dice.next())) {
      const forMs = Math.round(leaseMs * dice.log(0.8, 2));
      events.push({ atMs: Math.round(atMs), do: "sleep", node: dice.below(plan.nodes), forMs, amount: dice.whole(100, 3_000) });
    }
  }
  if (plan.faults.includes("replay")) {
    for (let atMs = 1_000 + dice.next() * 4_000; atMs < plan.activeMs; atMs += 4_000 * (0.3 + 1.4 * dice.next()))
      events.push({ atMs: Math.round(atMs), do: "oldAnswer" });
  }
  if (!walled && events.length === 0) return plan;
  return {
    ...plan,
    ...(walled && { workloads: [...plan.workloads, "walled"] }),
    ...(events.length > 0 && { events: [...plan.events, ...events].sort((a, b) => a.atMs - b.atMs) }),
  };
}
