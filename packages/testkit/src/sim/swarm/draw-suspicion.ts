import { Dice } from "./dice.js";
import type { DrawOptions } from "./draw-options.js";
import type { PlannedEvent, SeedPlan } from "./plan.js";

/**
 * Adds to a plan, drawn apart from the rest, whether copies take over on suspicion, after how much silence, and how often somebody is
 * suspected who lives.
 */
export function drawSuspicion(plan: SeedPlan, options: DrawOptions, disturbed: boolean): SeedPlan {
  const dice = new Dice(Math.imul(plan.seed, 0x27d4eb2f) ^ 0x165667b1);
  const failover = options.failover ?? (dice.chance(1 / 3) ? "suspicion" : "lease");
  const limits = {
    suspectAfterMs: Math.round(dice.log(100, 2_000)),
    suspectSettleMs: dice.pick([0, 0, 1_000, 10_000]),
    ...plan.limits,
  };
  const accused = dice.chance(0.5) && options.faults?.includes("accusation") !== false;
  if (failover === "lease" || !accused || !disturbed) return { ...plan, failover, limits };
  const accusations: PlannedEvent[] = [];
  const meanMs = dice.log(500, 10_000);
  for (let atMs = 500 + dice.next() * meanMs; atMs < plan.activeMs; atMs += meanMs * (0.3 + 1.4 * dice.next())) {
    accusations.push({ atMs: Math.round(atMs), do: "accusation", node: dice.below(plan.nodes), session: dice.below(8) });
  }
  const events = [...plan.events, ...accusations].sort((a, b) => a.atMs - b.atMs);
  return { ...plan, failover, limits, events, faults: [...plan.faults, "accusation"] };
}
