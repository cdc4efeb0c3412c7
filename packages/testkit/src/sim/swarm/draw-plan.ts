import type { Limits } from "@sojourn/core";
import { Dice } from "./dice.js";
import { drawFurther } from "./draw-further.js";
import { drawLate } from "./draw-late.js";
import type { DrawOptions } from "./draw-options.js";
import { drawStore } from "./draw-store.js";
import { drawSuspicion } from "./draw-suspicion.js";
import {
  EARLY_FAULTS,
  EARLY_WORKLOADS,
  FAULTS,
  type Fault,
  MOMENTS,
  type PlannedEvent,
  type PlannedSession,
  type SeedPlan,
  WORKLOADS,
  type Workload,
} from "./plan.js";

/** Draws the mix of one seed: which faults are on and how strong, what the clients do, how large the cluster is, and when what happens. */
export function drawPlan(seed: number, options: DrawOptions = {}): SeedPlan {
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ 0x51ed270b);
  const nodes = options.nodes ?? dice.pick([3, 3, 3, 3, 3, 4, 4, 5, 5, 6, 7, 9]);
  const calm = dice.chance(0.05);
  const share = dice.pick([0.06, 0.12, 0.2, 0.3]);
  const on = new Set<Fault>(EARLY_FAULTS.filter((fault) => !calm && dice.chance(share * (RARE[fault] ?? 1))));
  if (options.faults !== undefined) for (const fault of FAULTS) if (!options.faults.includes(fault)) on.delete(fault);
  const work = new Set<Workload>(EARLY_WORKLOADS.filter((workload) => workload === "chat" || dice.chance(WORK[workload] ?? 0.2)));
  if (options.workloads !== undefined) for (const workload of WORKLOADS) if (!options.workloads.includes(workload)) work.delete(workload);
  const activeMs = Math.round(dice.log(15_000, 60_000));
  const latencyMs = dice.log(0.5, 60);
  const limits = { ...drawLimits(dice, nodes, work), ...options.limits };
  const sessions: PlannedSession[] = Array.from({ length: dice.whole(1, work.has("batch") ? 6 : 3) }, () => ({
    clients: dice.whole(1, 3),
    talkMs: dice.log(600, 6_000),
    home: dice.below(nodes),
  }));
  const plan: SeedPlan = {
    seed,
    nodes,
    newer: work.has("versions") ? range(nodes).filter(() => dice.chance(0.5)) : [],
    limits,
    clientLimits: {
      callTimeoutMs: 3_600_000,
      connectTimeoutMs: 600_000,
      reconnectMaxMs: dice.whole(300, 5_000),
      attemptTimeoutMs: dice.whole(1_000, 5_000),
      switchSpreadMs: dice.whole(0, 1_000),
      retransmitMs: limits.retransmitMs ?? 2_000,
    },
    network: {
      latencyMs,
      jitterMs: on.has("delay") ? latencyMs * dice.between(0.2, 3) : 0,
      ...(on.has("delay") && { spikeMs: dice.log(20, 5_000) }),
      loss: on.has("loss") ? dice.pick([0.01, 0.05, 0.1, 0.2, 0.4]) * dice.next() : 0,
      duplication: on.has("duplication") ? 0.5 * dice.next() : 0,
      ...(on.has("replay") && { replay: 0.5 * dice.next() ** 3 }),
      reordering: on.has("reordering") ? 0.5 * dice.next() : 0,
      corruption: on.has("corruption") ? 0.01 * dice.next() : 0,
    },
    directory: {
      delayMs: on.has("directorySlow") ? dice.log(5, 800) : dice.log(0.5, 20),
      appendMs: dice.chance(0.5) ? 0 : dice.log(0.2, 20),
      lostAnswers: on.has("casAnswerLost") ? 0.3 * dice.next() : 0,
      lateWrites: on.has("casLate") ? 0.2 * dice.next() : 0,
    },
    rates: on.has("clockRate") ? range(nodes + 1).map(() => dice.between(0.95, 1.05)) : [],
    sessions,
    activeMs,
    failover: "lease",
    events: drawEvents({ dice, nodes, on, work, activeMs, sessions, leaseMs: limits.leaseTtlMs ?? 10_000 }),
    faults: FAULTS.filter((fault) => on.has(fault)),
    workloads: WORKLOADS.filter((workload) => work.has(workload)),
  };
  return drawFurther(drawStore(drawSuspicion(calm ? plan : drawLate(plan, options), options, !calm), options), options);
}

/** How much rarer or more frequent than others. */
const RARE: Partial<Record<Fault, number>> = { powerLoss: 0.3, directoryPowerLoss: 0.5, cutMajority: 0.6, crash: 1.5, crashAtStep: 1.5 };
const WORK: Partial<Record<Workload, number>> = {
  timers: 0.5,
  roam: 0.5,
  large: 0.12,
  drain: 0.15,
  rolling: 0.1,
  sessionEnd: 0.15,
  versions: 0.1,
};

function drawLimits(dice: Dice, nodes: number, work: ReadonlySet<Workload>): Partial<Limits> {
  const leaseTtlMs = dice.whole(2_000, 10_000);
  return {
    standbys: Math.min(nodes - 1, dice.pick([1, 1, 1, 1, 1, 2, 2, 2, 3, 0])),
    leaseTtlMs,
    heirDeadlineMs: dice.whole(500, 5_000),
    directoryTimeoutMs: dice.whole(300, 2_000),
    peerTimeoutMs: dice.whole(800, 4_000),
    offerTimeoutMs: dice.whole(500, 2_000),
    ackTimeoutMs: dice.whole(100, 1_000),
    grantResendMs: dice.whole(30, 200),
    drainDeadlineMs: dice.whole(50, 1_000),
    replicaRetentionMs: dice.whole(3_000, 20_000),
    bounceSettleMs: dice.pick([0, 100, 500]),
    retransmitMs: dice.whole(500, 2_000),
    ...(work.has("away") && dice.chance(0.5) && { linkGraceMs: dice.whole(3_000, 10_000) }),
    ...(work.has("away") && dice.chance(0.5) && { maxOutboxMessages: dice.whole(4, 20) }),
    ...((work.has("cross") || work.has("batch")) && dice.chance(0.5) && { maxIncomingMoves: 1 }),
    ...(work.has("large") && {
      copyTimeoutMs: dice.whole(300, 10_000),
      bulkChunkBytes: dice.pick([4_096, 16_384, 131_072]),
      liveArrayBytes: 8_192,
    }),
  };
}

interface Drawing {
  readonly dice: Dice;
  readonly nodes: number;
  readonly on: ReadonlySet<Fault>;
  readonly work: ReadonlySet<Workload>;
  readonly activeMs: number;
  readonly sessions: readonly PlannedSession[];
  readonly leaseMs: number;
}

type Draft = Omit<PlannedEvent, "atMs">;

function drawEvents(drawing: Drawing): PlannedEvent[] {
  const { dice, nodes, work, activeMs, on, sessions } = drawing;
  const events: PlannedEvent[] = [];
  /** On average one in this many ms. */
  const every = (meanMs: number, draft: () => Draft) => {
    for (let atMs = 500 + dice.next() * meanMs; atMs < activeMs; atMs += meanMs * (0.3 + 1.4 * dice.next())) {
      events.push({ atMs: Math.round(atMs), ...draft() });
    }
  };
  const node = () => dice.below(nodes);
  const session = () => dice.below(sessions.length);
  const client = () => dice.below(3);
  every(dice.log(1_000, 6_000), () => ({ do: "move", session: session(), node: node(), amount: dice.next() }));
  if (work.has("roam")) every(dice.log(400, 2_000), () => ({ do: "move", session: session(), node: node(), amount: dice.next() }));
  every(3_000, () => ({ do: "burst", session: session(), amount: dice.whole(2, 12) }));
  if (work.has("batch")) every(6_000, () => ({ do: "batch", node: node(), other: node() }));
  if (work.has("cross")) every(4_000, () => ({ do: "cross", session: session(), other: session() }));
  if (work.has("timers"))
    every(800, () => ({ do: "arm", session: session(), amount: dice.below(4), forMs: Math.round(dice.log(5, 5_000)) }));
  if (work.has("large")) every(8_000, () => ({ do: "fill", session: session(), amount: Math.round(dice.log(60_000, 1_000_000)) }));
  if (work.has("io")) every(1_500, () => ({ do: "io", session: session(), client: client(), forMs: Math.round(dice.log(5, 2_500)) }));
  if (work.has("drain")) every(15_000, () => ({ do: "drain", node: node(), forMs: dice.whole(2_000, 8_000) }));
  if (work.has("rolling")) every(activeMs, () => ({ do: "rolling", forMs: dice.whole(200, 3_000) }));
  if (work.has("away"))
    every(6_000, () => ({ do: "away", session: session(), client: client(), forMs: Math.round(dice.log(300, 15_000)) }));
  if (work.has("linkEnd"))
    every(6_000, () => ({ do: "linkEnd", session: session(), client: client(), forMs: Math.round(dice.log(50, 5_000)) }));
  if (work.has("sessionEnd")) every(15_000, () => ({ do: "sessionEnd", session: session(), amount: dice.next() }));
  for (const fault of on) {
    const draft = FAULT_EVENTS[fault];
    if (draft !== undefined) every(draft.meanMs, () => draft.draw(drawing));
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

interface FaultEvents {
  readonly meanMs: number;
  draw(drawing: Drawing): Draft;
}

/** The faults that happen at some time; the others are a property of the network or of a clock. */
const FAULT_EVENTS: Partial<Record<Fault, FaultEvents>> = {
  connectionReset: {
    meanMs: 3_000,
    draw: ({ dice, nodes }) => ({ do: "connectionReset", node: dice.below(nodes), other: dice.below(nodes) }),
  },
  cutOne: {
    meanMs: 9_000,
    draw: ({ dice, nodes }) => ({ do: "cutOne", node: dice.below(nodes), forMs: cutMs(dice), amount: dice.next() }),
  },
  cutMinority: {
    meanMs: 10_000,
    draw: ({ dice, nodes }) => ({ do: "cutMinority", node: dice.below(nodes), forMs: cutMs(dice), amount: dice.next() }),
  },
  cutMajority: {
    meanMs: 12_000,
    draw: ({ dice, nodes }) => ({ do: "cutMajority", node: dice.below(nodes), forMs: cutMs(dice), amount: dice.next() }),
  },
  cutRing: { meanMs: 12_000, draw: ({ dice }) => ({ do: "cutRing", forMs: cutMs(dice) }) },
  cutOneWay: {
    meanMs: 7_000,
    draw: ({ dice, nodes }) => ({ do: "cutOneWay", node: dice.below(nodes), other: dice.below(nodes + 1), forMs: cutMs(dice) }),
  },
  cutFlapping: {
    meanMs: 12_000,
    draw: ({ dice, nodes }) => ({
      do: "cutFlapping",
      node: dice.below(nodes),
      other: dice.below(nodes),
      forMs: cutMs(dice),
      amount: dice.log(50, 1_500),
    }),
  },
  crash: {
    meanMs: 12_000,
    draw: ({ dice, nodes, leaseMs }) => ({ do: "crash", node: dice.below(nodes), forMs: Math.round(dice.log(50, leaseMs * 3)) }),
  },
  crashAtStep: {
    meanMs: 9_000,
    draw: ({ dice, leaseMs }) => ({
      do: "crashAtStep",
      moment: dice.pick(MOMENTS),
      amount: dice.pick([0, 0, 1, 1, 2]),
      forMs: Math.round(dice.log(50, leaseMs * 3)),
    }),
  },
  crashPair: {
    meanMs: 20_000,
    draw: ({ dice, nodes, leaseMs }) => ({
      do: "crashPair",
      node: dice.below(nodes),
      other: dice.below(nodes),
      forMs: Math.round(dice.log(50, leaseMs * 2)),
    }),
  },
  pause: {
    meanMs: 10_000,
    draw: ({ dice, nodes, leaseMs }) => ({
      do: "pause",
      node: dice.below(nodes),
      forMs: Math.round(leaseMs * dice.log(0.1, 10) * (dice.chance(0.7) ? 0.4 : 1)),
    }),
  },
  slowNode: {
    meanMs: 12_000,
    draw: ({ dice, nodes }) => ({ do: "slowNode", node: dice.below(nodes), forMs: dice.whole(500, 6_000), amount: dice.log(0.5, 30) }),
  },
  directorySlow: {
    meanMs: 9_000,
    draw: ({ dice, nodes }) => ({
      do: "directorySlow",
      node: dice.below(nodes + 1),
      forMs: dice.whole(500, 5_000),
      amount: dice.log(20, 2_000),
    }),
  },
  directoryUnreachable: {
    meanMs: 9_000,
    draw: ({ dice, nodes }) => ({ do: "directoryUnreachable", node: dice.below(nodes + 1), forMs: cutMs(dice) }),
  },
  directoryPause: { meanMs: 15_000, draw: ({ dice }) => ({ do: "directoryPause", forMs: Math.round(dice.log(50, 8_000)) }) },
  directoryRestart: { meanMs: 15_000, draw: ({ dice }) => ({ do: "directoryRestart", forMs: Math.round(dice.log(10, 5_000)) }) },
  directoryPowerLoss: {
    meanMs: 15_000,
    draw: ({ dice }) => ({ do: "directoryPowerLoss", forMs: Math.round(dice.log(10, 5_000)), amount: dice.next() }),
  },
  casAnswerLost: { meanMs: 8_000, draw: ({ dice }) => ({ do: "casAnswerLost", forMs: dice.whole(200, 3_000), amount: dice.next() * 0.5 }) },
  casLate: { meanMs: 8_000, draw: ({ dice }) => ({ do: "casLate", forMs: dice.whole(200, 3_000), amount: dice.next() * 0.5 }) },
  wallJump: {
    meanMs: 4_000,
    draw: ({ dice, nodes }) => ({ do: "wallJump", node: dice.below(nodes), amount: dice.between(-262_000, 262_000) }),
  },
  wallStrobe: {
    meanMs: 8_000,
    draw: ({ dice, nodes }) => ({
      do: "wallStrobe",
      node: dice.below(nodes),
      forMs: dice.whole(200, 2_000),
      amount: dice.log(10, 262_000),
    }),
  },
  socketCut: { meanMs: 2_500, draw: ({ dice }) => ({ do: "socketCut", amount: dice.chance(0.1) ? 99 : 1 }) },
  socketHalfOpen: { meanMs: 3_000, draw: ({ dice }) => ({ do: "socketHalfOpen", forMs: Math.round(dice.log(20, 10_000)) }) },
  stolenToken: { meanMs: 5_000, draw: ({ dice, nodes }) => ({ do: "stolenToken", node: dice.below(nodes), amount: dice.next() }) },
  powerLoss: { meanMs: 30_000, draw: ({ dice }) => ({ do: "powerLoss", forMs: Math.round(dice.log(50, 5_000)), amount: dice.next() }) },
};

function cutMs(dice: Dice): number {
  return Math.round(dice.log(50, 12_000));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
