import { Dice } from "./dice.js";
import type { DrawOptions } from "./draw-options.js";
import type { PlannedEvent, SeedPlan, StorePlan } from "./plan.js";

/** Of all seeds. */
const HYBRID_SHARE = 0.2;
const CHANGING_SHARE = 0.15;

/**
 * Has a share of the seeds keep their sessions in a store, each with faults of its own on the way to it, and a share give their sessions
 * other strategies while they run. Drawn apart from the rest.
 */
export function drawStore(plan: SeedPlan, { strategy, faults, workloads }: DrawOptions): SeedPlan {
  const dice = new Dice(Math.imul(plan.seed, 0xc2b2ae35) ^ 0x27d4eb2f);
  const drawn = dice.chance(HYBRID_SHARE) ? "hybrid" : "replica";
  const changes = new Dice(Math.imul(plan.seed, 0x9e3779b1) ^ 0x3c6ef372);
  const changing = changes.chance(CHANGING_SHARE) && strategy === undefined && workloads?.includes("strategies") !== false;
  const first = strategy ?? drawn;
  if (first !== "hybrid" && !changing) return plan;
  const calm = faults?.length === 0 || plan.faults.length === 0;
  const rate = (most: number) => (!calm && dice.chance(0.3) ? most * dice.next() : 0);
  const store: StorePlan = {
    strategy: first,
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
    ...(changes.chance(0.5) && { baseLogPercent: 400 }),
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
  if (changing) events.push(...drawChanges(plan, changes));
  const patience = changing || changes.chance(0.5) ? { storePatienceMs: Math.round(changes.log(50, 3_000)) } : {};
  return {
    ...plan,
    limits: { ...plan.limits, ...limits, ...patience, ...(changing && { strategyTimeoutMs: changes.whole(1_000, 20_000) }) },
    workloads: changing ? [...plan.workloads, "strategies"] : plan.workloads,
    store,
    events: [...plan.events, ...events].sort((a, b) => a.atMs - b.atMs),
  };
}

/** Sessions are asked to change their strategies, now and then several times in a moment. */
function drawChanges(plan: SeedPlan, dice: Dice): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  const meanMs = dice.log(500, 8_000);
  for (let atMs = 500 + dice.next() * meanMs; atMs < plan.activeMs; atMs += meanMs * (dice.chance(0.2) ? 0.02 : 0.3 + 1.4 * dice.next()))
    events.push({ atMs: Math.round(atMs), do: "strategy", session: dice.below(plan.sessions.length), amount: dice.below(2) });
  return events;
}
