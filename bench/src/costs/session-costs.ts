import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  createRecordCodec,
  createSessionFactory,
  defineSession,
  resolveLimits,
  type SessionCell,
  type SessionFactory,
} from "@sojourn/core";
import { createSystemClock, createSystemRandom, createTurnScope } from "@sojourn/node";
import { type BenchState, benchState } from "../common/bench-state.js";
import { median } from "../common/percentiles.js";

/** What one state of a size costs. */
export interface SessionCosts {
  readonly stateBytes: number;
  readonly encodeUs: number;
  readonly restoreUs: number;
}

/** A turn's delta. */
export interface DeltaCosts {
  readonly deltaBytes: number;
  readonly applyUs: number;
}

/** Heap that a restored session takes. */
export interface HeapCosts {
  readonly stateBytes: number;
  readonly heapBytes: number;
}

const ROUNDS = 15;
const ROUND_US = 30_000;
const DELTAS = 20_000;
const HELD = 1_500;

/** A factory of sessions with so many rooms of 5 KB in their state. */
function factoryOf(rooms: number): SessionFactory {
  const limits = resolveLimits();
  const kind = defineSession({
    name: "cost",
    version: 1,
    state: () => ({ rooms: Array.from({ length: rooms }, benchState) as BenchState[] }),
    timers: {
      step: (ctx) => {
        const player = ctx.state.rooms[0]?.players.get("player-7");
        if (player !== undefined) player.pos.x += 1;
        ctx.timers.set("step", 0);
      },
    },
    actions: {},
    onCreate: (ctx) => ctx.timers.set("step", 0),
  });
  const codec = createRecordCodec({ lineage: `costs-${rooms}`, maxSharedShapes: 1_024, maxCodecLineages: 16, maxDepth: 208 });
  return createSessionFactory(kind, {
    clock: createSystemClock(),
    random: createSystemRandom(),
    scope: createTurnScope(),
    codec,
    limits,
    self: "bench#1",
    pullCache: () => Promise.resolve(undefined),
  });
}

function fresh(factory: SessionFactory): SessionCell {
  const cell = factory.create("cost/1");
  cell.run({ kind: "wake", reason: "created", stalenessMs: 0 }, true);
  return cell;
}

/** Processor time of this process: what others do on the machine counts less. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds of a call: the median of rounds. */
function usOf(act: () => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedUs = cpuUs();
    let calls = 0;
    do {
      act();
      calls++;
    } while (cpuUs() - startedUs < ROUND_US);
    rounds.push((cpuUs() - startedUs) / calls);
  }
  return median(rounds);
}

/** Encoding and restoring of whole sessions of so many rooms. */
export function measureSession(rooms: number): SessionCosts {
  const factory = factoryOf(rooms);
  const cell = fresh(factory);
  const bytes = cell.snapshot();
  const encodeUs = usOf(() => cell.snapshot());
  const restoreUs = usOf(() => factory.restore("cost/2", bytes));
  return { stateBytes: bytes.length, encodeUs, restoreUs };
}

/** A small change of a 5 KB session, applied at a copy. */
export function measureDelta(): DeltaCosts {
  const factory = factoryOf(1);
  const owner = fresh(factory);
  const copy = factory.restore("cost/1", owner.snapshot());
  const deltas: Uint8Array[] = [];
  for (let i = 0; i < DELTAS; i++) {
    const result = owner.run({ kind: "timer", name: "step" }, true);
    if (!("then" in result) && result.delta !== null) deltas.push(result.delta);
  }
  const bytes = deltas.reduce((sum, { length }) => sum + length, 0);
  const startedUs = cpuUs();
  for (const delta of deltas) copy.apply(delta);
  return { deltaBytes: bytes / deltas.length, applyUs: (cpuUs() - startedUs) / deltas.length };
}

/** What many restored sessions of so many rooms take on the heap, each. */
export function measureHeap(rooms: number): HeapCosts {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const factory = factoryOf(rooms);
  const bytes = fresh(factory).snapshot();
  const held: SessionCell[] = [];
  const used = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  for (let i = 0; i < HELD; i++) held.push(factory.restore(`cost/${i}`, bytes));
  const heapBytes = (used() - before) / held.length;
  return { stateBytes: bytes.length, heapBytes };
}
