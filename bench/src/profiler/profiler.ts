import { cpus } from "node:os";
import { resolveLimits } from "@sojourn/core";
import { createSystemClock, Profiler } from "@sojourn/node";
import { median, round } from "../common/percentiles.js";
import { ROOM, Turns } from "./turn-pair.js";

const SESSIONS = 64;
const BATCH_TURNS = 100;
const WARM_UP_BATCHES = 1_000;
const PAIRS = 8_000;
const METER_CALLS = 2_000_000;
const WINDOW_SESSIONS = 20_000;
const WINDOWS = 20;

const NOT_MEASURED =
  "A turn here is the least that one can be: a small change of a 5 KB session, its delta and the delta's checksum; links, messages, copies and\n" +
  "the network come on top, so the share of a real turn is smaller. Not measured: what asking for the profile costs.";

/** Processor time of this process: what others do on the machine counts less. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function usOf(act: () => void): number {
  const startedUs = cpuUs();
  act();
  return cpuUs() - startedUs;
}

/** The meter alone: what it adds to a turn. */
function meterNs(): number {
  const profiler = new Profiler([ROOM], createSystemClock(), resolveLimits());
  const meter = profiler.meterOf("room/meter");
  const timer = profiler.timerOf("room");
  const deltas = Array.from({ length: 64 }, (_, i) => new Uint8Array(20 + i * 7));
  let timed = 0;
  const rounds = Array.from({ length: 9 }, () =>
    usOf(() => {
      for (let i = 0; i < METER_CALLS; i++) {
        meter?.turn(deltas[i & 63] ?? null);
        if (timer?.due() === true) timed++;
      }
    }),
  );
  return timed === 0 ? 0 : (median(rounds) * 1_000) / METER_CALLS;
}

/** The end of a window in which many sessions had turns, for each of them. */
function windowEndNs(): number {
  const ends: number[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    const due: (() => void)[] = [];
    const clock = createSystemClock();
    const schedule = (_delayMs: number, task: () => void) => {
      due.push(task);
      return { cancel: () => undefined };
    };
    const profiler = new Profiler([ROOM], { now: () => clock.now(), wallNow: () => 0, schedule }, resolveLimits());
    profiler.start(() => new Map());
    const delta = new Uint8Array(50);
    for (let i = 0; i < WINDOW_SESSIONS; i++) profiler.meterOf(`room/${i}`)?.turn(delta);
    // The first task ends the window, those after it are its steps; the last one waits for the next window.
    ends.push(
      usOf(() => {
        for (let steps = 0; steps < WINDOW_SESSIONS / 2_000 && due.length > 0; steps++) due.shift()?.();
      }),
    );
  }
  return (median(ends) * 1_000) / WINDOW_SESSIONS;
}

/** The bench `profiler`: what the profiler adds to a turn. */
export async function runProfilerBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`profiler: ${SESSIONS} sessions of 5 KB, ${PAIRS} pairs of ${BATCH_TURNS} turns, Node ${process.version}, ${cpus().length} cores`);
  const profiler = new Profiler([ROOM], createSystemClock(), resolveLimits());
  const turns = new Turns(SESSIONS, profiler);
  const batch = (on: boolean) => {
    turns.profile(on);
    return usOf(() => turns.run(BATCH_TURNS));
  };
  for (let i = 0; i < WARM_UP_BATCHES; i++) batch(i % 2 === 0);
  const times = { without: [] as number[], profiled: [] as number[] };
  for (let pair = 0; pair < PAIRS; pair++) {
    // Each goes first every other time.
    const order = pair % 2 === 0 ? [false, true] : [true, false];
    for (const on of order) (on ? times.profiled : times.without).push(batch(on));
  }
  const turnUs = median(times.without) / BATCH_TURNS;
  const profiledTurnUs = median(times.profiled) / BATCH_TURNS;
  const ratio = profiledTurnUs / turnUs;
  const turnNs = meterNs();
  const share = turnNs / 1_000 / turnUs;
  const endNs = windowEndNs();
  say(`turn        without ${round(turnUs)} µs   with ${round(profiledTurnUs)} µs   ratio of medians ${ratio.toFixed(4)}`);
  say(`meter       ${round(turnNs)} ns a turn by itself: ${(share * 100).toFixed(2)} % of a turn`);
  say(`window      ${round(endNs)} ns a session with turns, once a window (${WINDOW_SESSIONS} sessions)`);
  say(NOT_MEASURED);
  if (json) {
    say(
      JSON.stringify({
        bench: "profiler",
        turnUs: round(turnUs),
        profiledTurnUs: round(profiledTurnUs),
        ratio,
        meterNs: round(turnNs),
        meterShare: share,
        windowEndNsPerSession: round(endNs),
      }),
    );
  }
}
