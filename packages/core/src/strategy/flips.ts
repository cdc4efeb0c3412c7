import type { Figures } from "./figures.js";
import { checklistInput, judge } from "./score.js";
import { STRATEGIES, type Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** A change of one input that changes the answer. */
export interface Flip {
  readonly input: FlipInput;
  readonly from: number | string;
  /** The nearest value, to two digits, at which it does. */
  readonly to: number | string;
  /** Null: no strategy can be had then. */
  readonly becomes: Strategy | null;
}

/** Inputs that are varied one at a time. */
export type FlipInput =
  | "stateBytes"
  | "deltaBytes"
  | "turnsPerSec"
  | "movesPerSec"
  | "sessions"
  | "memoryBytes"
  | "snapshotIntervalMs"
  | "durability"
  | "network.usdPerGb"
  | "network.rttMs"
  | "ram.usdPerGbMonth"
  | "failure.nodeLossesPerMonth";

interface Numeric {
  readonly input: FlipInput;
  /** Where to begin when the present value is 0. */
  readonly least: number;
  readonly whole?: boolean;
}

const NUMERIC: readonly Numeric[] = [
  { input: "stateBytes", least: 1, whole: true },
  { input: "deltaBytes", least: 1, whole: true },
  { input: "turnsPerSec", least: 1e-4 },
  { input: "movesPerSec", least: 1e-3 },
  { input: "sessions", least: 1, whole: true },
  { input: "memoryBytes", least: 1_000, whole: true },
  { input: "snapshotIntervalMs", least: 1, whole: true },
  { input: "network.usdPerGb", least: 1e-6 },
  { input: "network.rttMs", least: 1e-3 },
  { input: "ram.usdPerGbMonth", least: 1e-3 },
  { input: "failure.nodeLossesPerMonth", least: 1e-4 },
];

/** How far from the present value is looked, and in which steps. */
const REACH = 1e5;
const STEP = Math.SQRT2;
const BISECTIONS = 16;
/** What bisection leaves open, in units of the second digit. */
const NEARLY = 1e-3;

/** The strategy that comes first, or null when none can be had. */
export function bestStrategy(workload: Workload, figures: Figures): Strategy | null {
  let best: { strategy: Strategy; score: number } | null = null;
  const asked = checklistInput(workload, figures);
  for (const strategy of STRATEGIES) {
    const { obstacles, score } = judge(strategy, workload, figures, asked);
    if (obstacles.length === 0 && (best === null || score < best.score)) best = { strategy, score };
  }
  return best?.strategy ?? null;
}

/** For each input the nearest value at which another strategy comes first; the smallest change first. */
export function findFlips(workload: Workload, figures: Figures): readonly Flip[] {
  const now = bestStrategy(workload, figures);
  const found: { flip: Flip; distance: number }[] = [];
  const durability = workload.durability === "strong" ? "eventual" : "strong";
  const becomes = bestStrategy({ ...workload, durability }, figures);
  if (becomes !== now) found.push({ flip: { input: "durability", from: workload.durability, to: durability, becomes }, distance: 1 });
  for (const numeric of NUMERIC) {
    const from = presentValue(numeric.input, workload, figures);
    if (from === null) continue;
    const at = (value: number) => bestWith(numeric.input, value, workload, figures);
    const start = Math.max(from, numeric.least);
    const sides = [search(start, STEP, numeric, at, now), search(start, 1 / STEP, numeric, at, now)];
    const nearest = sides.filter((side) => side !== null).sort((a, b) => a.distance - b.distance)[0];
    if (nearest !== undefined) {
      found.push({ flip: { input: numeric.input, from, to: nearest.to, becomes: at(nearest.to) }, distance: nearest.distance });
    }
  }
  return found.sort((a, b) => a.distance - b.distance).map(({ flip }) => flip);
}

function presentValue(input: FlipInput, workload: Workload, figures: Figures): number | null {
  if (input in figures) return figures[input as keyof Figures].value;
  const value = workload[input as keyof Workload];
  return typeof value === "number" ? value : null;
}

function bestWith(input: FlipInput, value: number, workload: Workload, figures: Figures): Strategy | null {
  if (!(input in figures)) return bestStrategy({ ...workload, [input]: value }, figures);
  const name = input as keyof Figures;
  return bestStrategy(workload, { ...figures, [name]: { ...figures[name], value } });
}

/** Walks away from the present value until the answer changes, then closes in on where it does. */
function search(
  start: number,
  step: number,
  { least, whole }: Numeric,
  at: (value: number) => Strategy | null,
  now: Strategy | null,
): { to: number; distance: number } | null {
  let same = start;
  let other: number | null = null;
  for (let value = start * step; value >= least && value <= start * REACH && value >= start / REACH; value *= step) {
    if (at(value) !== now) {
      other = value;
      break;
    }
    same = value;
  }
  if (other === null) return null;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(same * other);
    if (at(middle) === now) same = middle;
    else other = middle;
  }
  // Rounded away from the present value, so that the answer has changed there.
  const unit = 10 ** (Math.floor(Math.log10(other)) - 1);
  const steps = other / unit;
  const away = step > 1 ? Math.ceil(steps - NEARLY) : Math.floor(steps + NEARLY);
  const rounded = [away, away + (step > 1 ? 1 : -1)].map((digits) => Number((digits * unit).toPrecision(3)));
  const to = (whole === true ? rounded.map(Math.round) : rounded).find((value) => value > 0 && at(value) !== now) ?? other;
  return { to, distance: Math.abs(Math.log(other / start)) };
}
