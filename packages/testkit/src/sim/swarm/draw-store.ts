import { Dice } from "./dice.js";
import type { DrawOptions } from "./draw-options.js";
import type { PlannedEvent, SeedPlan, StorePlan } from "./plan.js";

/** Of all seeds. */
const HYBRID_SHARE = 0.2;

/** Has a share of the seeds keep their sessions in a store, each with faults of its own on the way to it. Drawn apart from the rest. */
export function drawStore(plan: SeedPlan, { strategy, faults }: DrawOptions): SeedPlan {
  const dice = new Dice(Math.imul(plan.seed, 0xc2b2ae35) ^ 0x27d4eb2f);
  const drawn = dice.chance(HYBRID_SHARE) ? "hybrid" : "replica";
  if ((strategy ?? drawn) !== "hybrid") return plan;
  const calm = faults?.length === 0 || plan.faults.length === 0;
  const rate = (most: number) => (!calm && dice.chance(0.3) ? most * dice.next() : 0);
  const store: StorePlan = {
    strategy: "hybrid",
    delayMs: dice.log(0.2, 30),
    refused: rate(0.2),
    lostAnswers: rate(0.1),
    late: rate(0.1),
  };
  const limits = {
    storeTimeoutMs: dice.whole(200, 3_000),
    storeRetryMs: dice.whole(10, 300),
    baseIntervalMs: Math.round(dice.log(100, 20_000)),
    copyTimeoutMs: plan.limits.copyTimeoutMs ?? dice.whole(1_000, 10_000),
    ...(dice.chance(0.3) && { maxStoreLogBytes: 4_096 }),
    ...(dice.chance(0.3) && { maxDeltaLogBytes: 4_096 }),
    ...(dice.chance(0.2) && { maxStoreAppendEntries: 1 }),
  };
  const events: PlannedEvent[] = [];
  const every = (meanMs: number, draw: () => Omit<PlannedEvent, "atMs">) => {
    for (let atMs = 500 + dice.next() * meanMs; atMs < plan.activeMs; atMs += meanMs * (0.3 + 1.4 * dice.next()))
      events.push({ atMs: Math.round(atMs), ...draw() });
  };
  if (!calm && dice.chance(0.3))
    every(12_000, () => ({ do: "storeDown", node: dice.below(plan.nodes + 1), forMs: Math.round(dice.log(50, 8_000)) }));
  if (!calm && dice.chance(0.2)) every(12_000, () => ({ do: "storeFull", forMs: Math.round(dice.log(50, 6_000)) }));
  if (!calm && dice.chance(0.5)) every(15_000, () => ({ do: "allDie", forMs: Math.round(dice.log(50, 5_000)) }));
  return {
    ...plan,
    limits: { ...plan.limits, ...limits },
    store,
    events: [...plan.events, ...events].sort((a, b) => a.atMs - b.atMs),
  };
}
