import { median, percentile } from "../common/percentiles.js";
import type { Floor } from "../handover/floor.js";
import { type Blackout, driveMover, measureBlackout, moverOf } from "./blackout.js";
import { type LostOwner, loseOwner } from "./lost-owner.js";
import {
  diskBytes,
  KINDS,
  type KindName,
  namesOf,
  SAFE_KINDS,
  type SafeKindName,
  type SizedCluster,
  startSizedCluster,
} from "./sized-cluster.js";
import { measureTurns, type TurnCost } from "./turn-cost.js";

/** How much is measured of one size. */
export interface SizePlan {
  readonly stateBytes: number;
  readonly sessions: number;
  readonly rounds: number;
  /** How long silent sessions write their log before their owner is killed. */
  readonly logMs: number;
}

/** One strategy at one size: medians of the rounds. Ratios are of figures of one round each. */
export interface StrategyRow {
  readonly stateBytes: number;
  readonly strategy: SafeKindName;
  readonly durability: "strong" | "eventual";
  readonly turnsPerSec: number;
  readonly turnsPerSecOverVolatile: number;
  readonly turnCpuOverVolatile: number;
  readonly floorP50Us: number;
  readonly blackoutP50Us: number;
  readonly blackoutP99Us: number;
  readonly blackoutP50OverFloor: number;
  readonly controlP99Us: number;
  readonly blackoutP99OverControl: number;
  readonly movingP99Us: number;
  readonly moves: number;
  readonly movesFailed: number;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly servedAgainMs: number | null;
  readonly restoreMs: number | null;
  readonly restoreParts: Omit<LostOwner, "servedAgainMs" | "restoreMs">;
  /** What one session takes besides its owner's memory. */
  readonly copyBytes: number;
  readonly diskBytes: number;
  readonly bytesHeld: number;
}

const WARM_SESSIONS = 50;
const WARM_MOVES_MS = 2_000;
const WARM_TURNS = 15_000;
/** A loaded machine needs longer for so many turns; at some point it is enough. */
const WARM_TURNS_MS = 4_000;
const WARM_MOVER_MS = 500;
const TURNS_MS = 1_000;
const CONTROL_MS = 1_200;
const MOVES_MS = 1_200;
const COLD = 8;
/** Of the larger sizes. */
const FEW_COLD = 4;
const FLOOR_WARM_UP = 300;
const FLOOR_SINGLES = 1_500;

interface Round {
  readonly floorP50Us: number;
  readonly turns: Readonly<Record<KindName, TurnCost>>;
  readonly blackout: Readonly<Record<SafeKindName, Blackout>>;
}

/** Measures all strategies at one size, in rounds of which each has everything, beside the floor. */
export async function measureSize(plan: SizePlan, floor: Floor): Promise<StrategyRow[]> {
  const sized = await startSizedCluster(plan.stateBytes, plan.sessions);
  try {
    await warmUp(sized);
    const rounds: Round[] = [];
    for (let i = 0; i < plan.rounds; i++) rounds.push(await measureRound(sized, floor));
    const onDisk = Object.fromEntries(SAFE_KINDS.map((kind) => [kind, diskBytes(sized.cluster, kind) / plan.sessions]));
    const lost = await loseOwner(sized, plan.stateBytes > 10_000 ? FEW_COLD : COLD, plan.logMs);
    return SAFE_KINDS.map((kind) => rowOf(plan, kind, sized, rounds, lost[kind], onDisk[kind] ?? 0));
  } finally {
    await sized.cluster.stop();
  }
}

/** Nodes that work all day run compiled code, and have touched every part of a session's state; so should what is measured. */
async function warmUp(sized: SizedCluster): Promise<void> {
  const { cluster, endpoints, sessions } = sized;
  const { nodes, clients } = cluster;
  const moved = namesOf("bench", "warm", WARM_SESSIONS);
  await clients.ask("open", { sessions: [...SAFE_KINDS.map(moverOf), ...moved], endpoints, spread: false });
  await Promise.all(
    nodes.map(({ child }, i) =>
      child.ask("drive", { sessions: moved, to: nodes[1 - i]?.id, inFlight: 16, perSec: 1_000_000, forMs: WARM_MOVES_MS }),
    ),
  );
  await clients.ask("leave", moved);
  for (const kind of KINDS) await clients.ask("hammer", { sessions: sessions[kind], forMs: WARM_TURNS_MS, most: WARM_TURNS });
  for (const kind of SAFE_KINDS) await driveMover(sized, kind, WARM_MOVER_MS);
}

async function measureRound(sized: SizedCluster, floor: Floor): Promise<Round> {
  const floorP50Us = percentile(await floor.singles(FLOOR_WARM_UP, FLOOR_SINGLES), 50);
  const turns = {} as Record<KindName, TurnCost>;
  for (const kind of KINDS) turns[kind] = await measureTurns(sized, kind, TURNS_MS);
  const blackout = {} as Record<SafeKindName, Blackout>;
  for (const kind of SAFE_KINDS) blackout[kind] = await measureBlackout(sized, kind, CONTROL_MS, MOVES_MS);
  return { floorP50Us, turns, blackout };
}

function rowOf(
  { stateBytes }: SizePlan,
  strategy: SafeKindName,
  { copyBytes }: SizedCluster,
  rounds: readonly Round[],
  { servedAgainMs, restoreMs, ...restoreParts }: LostOwner,
  onDisk: number,
): StrategyRow {
  const of = (figure: (round: Round) => number) => median(rounds.map(figure));
  const sum = (figure: (blackout: Blackout) => number) => rounds.reduce((total, { blackout }) => total + figure(blackout[strategy]), 0);
  return {
    stateBytes,
    strategy,
    durability: strategy === "snapshot" ? "eventual" : "strong",
    turnsPerSec: of(({ turns }) => turns[strategy].turnsPerSec),
    turnsPerSecOverVolatile: of(({ turns }) => turns[strategy].turnsPerSec / turns.volatile.turnsPerSec),
    turnCpuOverVolatile: of(({ turns }) => turns[strategy].cpuUs / turns.volatile.cpuUs),
    floorP50Us: of(({ floorP50Us }) => floorP50Us),
    blackoutP50Us: of(({ blackout }) => blackout[strategy].p50Us),
    blackoutP99Us: of(({ blackout }) => blackout[strategy].p99Us),
    blackoutP50OverFloor: of(({ blackout, floorP50Us }) => blackout[strategy].p50Us / floorP50Us),
    controlP99Us: of(({ blackout }) => blackout[strategy].controlP99Us),
    blackoutP99OverControl: of(({ blackout }) => blackout[strategy].p99Us / blackout[strategy].controlP99Us),
    movingP99Us: of(({ blackout }) => blackout[strategy].movingP99Us),
    moves: sum(({ moves }) => moves),
    movesFailed: sum(({ failed }) => failed),
    messages: sum(({ messages }) => messages),
    lost: sum(({ lost }) => lost),
    doubled: rounds.at(-1)?.blackout[strategy].doubled ?? 0,
    reordered: rounds.at(-1)?.blackout[strategy].reordered ?? 0,
    servedAgainMs,
    restoreMs,
    restoreParts,
    copyBytes: copyBytes[strategy],
    diskBytes: Math.round(onDisk),
    bytesHeld: copyBytes[strategy] + Math.round(onDisk),
  };
}
