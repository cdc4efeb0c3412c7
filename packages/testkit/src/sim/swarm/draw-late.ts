import { Dice } from "./dice.js";
import type { DrawOptions } from "./draw-options.js";
import { type Fault, LATE_FAULTS, LATE_WORKLOADS, type PlannedEvent, type SeedPlan, type Workload } from "./plan.js";

const FAULT_SHARE = 0.03;
const SHARES: Readonly<Record<(typeof LATE_WORKLOADS)[number], number>> = { crowd: 0.005, lateEpochs: 0.01 };
/** Of all appends of the directory. */
const MAX_DISK_RATE = 0.1;
const CROWD_CLIENTS = 72;
/** Far enough below the greatest whole number that no run gets there. */
const LATE_EPOCH = 2 ** 53 - 2 ** 24;

/** Adds to a plan what is drawn apart from the rest: the faults of the directory's disk, sleep, crowds, late epochs. */
export function drawLate(plan: SeedPlan, options: DrawOptions): SeedPlan {
  const dice = new Dice(Math.imul(plan.seed, 0x85ebca6b) ^ 0x2545f491);
  const faults = LATE_FAULTS.filter((fault) => dice.chance(FAULT_SHARE) && options.faults?.includes(fault) !== false);
  const workloads = LATE_WORKLOADS.filter((work) => dice.chance(SHARES[work]) && options.workloads?.includes(work) !== false);
  if (faults.length === 0 && workloads.length === 0) return plan;
  const events = drawLateEvents(plan, faults, workloads, dice);
  const rate = (fault: Fault) => (faults.some((other) => other === fault) ? MAX_DISK_RATE * dice.next() : 0);
  const disk = {
    failedWrite: rate("failedWrite"),
    tornWrite: rate("tornWrite"),
    misdirectedWrite: rate("misdirectedWrite"),
    flippedBit: rate("flippedBit"),
  };
  return {
    ...plan,
    ...(workloads.includes("crowd") && {
      sessions: plan.sessions.map((session, i) =>
        i === 0 ? { ...session, clients: CROWD_CLIENTS, talkMs: dice.log(15_000, 40_000) } : session,
      ),
    }),
    ...(workloads.includes("lateEpochs") && { firstEpoch: LATE_EPOCH }),
    ...(Object.values(disk).some((chance) => chance > 0) && { directory: { ...plan.directory, disk } }),
    events: [...plan.events, ...events].sort((a, b) => a.atMs - b.atMs),
    faults: [...plan.faults, ...faults],
    workloads: [...plan.workloads, ...workloads],
  };
}

function drawLateEvents(plan: SeedPlan, faults: readonly Fault[], workloads: readonly Workload[], dice: Dice): PlannedEvent[] {
  const { activeMs, nodes } = plan;
  const leaseMs = plan.limits.leaseTtlMs ?? 10_000;
  const events: PlannedEvent[] = [];
  const every = (meanMs: number, draw: () => Omit<PlannedEvent, "atMs">) => {
    for (let atMs = 500 + dice.next() * meanMs; atMs < activeMs; atMs += meanMs * (0.3 + 1.4 * dice.next()))
      events.push({ atMs: Math.round(atMs), ...draw() });
  };
  if (faults.includes("diskFull")) every(12_000, () => ({ do: "diskFull", forMs: Math.round(dice.log(100, 8_000)) }));
  if (faults.includes("sleep"))
    every(10_000, () => ({ do: "sleep", node: dice.below(nodes), forMs: Math.round(leaseMs * dice.log(0.3, 4)) }));
  // Damage is found when the directory opens its disk again.
  if (faults.some((fault) => fault === "tornWrite" || fault === "misdirectedWrite" || fault === "flippedBit"))
    every(10_000, () => ({ do: "directoryRestart", forMs: Math.round(dice.log(10, 2_000)) }));
  if (workloads.includes("crowd")) {
    const home = plan.sessions[0]?.home ?? 0;
    every(12_000, () => ({ do: "crash", node: (home + dice.below(2)) % nodes, forMs: Math.round(dice.log(500, leaseMs * 2)) }));
    every(15_000, () => ({ do: "slowNode", node: dice.below(nodes), forMs: dice.whole(500, 4_000), amount: dice.log(0.5, 4) }));
  }
  return events;
}
