import { cpus } from "node:os";
import { round } from "../common/percentiles.js";
import { Floor } from "../handover/floor.js";
import { goalsOf } from "./goals.js";
import { measureSize, type SizePlan, type StrategyRow } from "./measure-size.js";
import { measureMixture, mixedGoals, mixedLines } from "./mixed.js";

/** The size of the goals has all rounds. */
const GOAL_BYTES = 5_000;
const LOG_MS = 5_000;

const PLANS: readonly SizePlan[] = [
  { stateBytes: 1_000, sessions: 64, rounds: 1, logMs: 500 },
  { stateBytes: GOAL_BYTES, sessions: 64, rounds: 5, logMs: LOG_MS },
  { stateBytes: 50_000, sessions: 64, rounds: 1, logMs: 500 },
  { stateBytes: 1_000_000, sessions: 8, rounds: 1, logMs: 500 },
];

/** What others publish for such moves. */
const PUBLISHED = { replica: "5–15 ms", hybrid: "20–50 ms", snapshot: "50–200 ms" } as const;

const NOTES =
  "turns/s: one client a session, each says the next thing when it is answered; against a kind without any copy. blackout: freeze → TAKEN of a session\n" +
  "that moves to and fro all the time, its client talking every 5 ms; against the floor (5 KB encoded, sent, decoded, acknowledged) and against the p99 of\n" +
  "the same client's round trips in a window without a move, both of the same round. served: kill -9 of the owner to the client's next answer (replica: on\n" +
  "suspicion; from a store: after a lease of 2 s). restored: a new client's first answer from a session whose owner is known to be gone.\n" +
  "mixture: 60 sessions of 1 KB, 5 messages/s each, 30 moves/s; 12 of 50 KB, 1 message/s each, 1 move/s; 8 of 1 MB, a message each 20 s; eventual. I/O: all\n" +
  "that nodes write to each other, the directory and their stores. sum: the mean of the three ratios.\n" +
  "Not measured: distance, TLS, Redis and S3, disks of their own for each node.";

/** The bench `strategies`. */
export async function runStrategiesBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`strategies: LMDB on the local disk, Node ${process.version}, ${cpus().length} cores`);
  const floor = await Floor.open();
  const rows: StrategyRow[] = [];
  try {
    await floor.singles(2_000, 1);
    for (const plan of PLANS) {
      const measured = await measureSize(plan, floor);
      rows.push(...measured);
      for (const row of measured) for (const line of linesOf(row)) say(line);
    }
  } finally {
    await floor.close();
  }
  const mixture = await measureMixture();
  for (const line of mixedLines(mixture)) say(line);
  const goals = [...goalsOf(rows), ...mixedGoals(mixture)];
  for (const { goal, value, limit, met } of goals) say(`goal        ${met ? "met   " : "MISSED"} ${goal}: ${value} (${limit})`);
  say(NOTES);
  if (json) say(JSON.stringify({ bench: "strategies", rows: rows.map(rounded), auto: mixture, published: PUBLISHED, goals }));
}

function linesOf(row: StrategyRow): string[] {
  const { strategy, stateBytes, durability, restoreParts } = row;
  const name = `${sizeOf(stateBytes).padEnd(6)} ${strategy.padEnd(9)}`;
  const r = round;
  return [
    `${name} ${durability.padEnd(9)} turns ${r(row.turnsPerSec)}/s (${r(row.turnsPerSecOverVolatile)} × volatile, CPU a turn ${r(row.turnCpuOverVolatile)} ×)   ` +
      `held ${sizeOf(row.copyBytes)} in copies, ${sizeOf(row.diskBytes)} on disk`,
    `${" ".repeat(16)} blackout p50 ${r(row.blackoutP50Us / 1_000)} ms (${r(row.blackoutP50OverFloor)} × floor; published ${PUBLISHED[strategy]})   ` +
      `p99 ${r(row.blackoutP99Us / 1_000)} ms (${r(row.blackoutP99OverControl)} × control ${r(row.controlP99Us / 1_000)} ms)   client's p99 ${r(row.movingP99Us / 1_000)} ms   ` +
      `${row.moves} moves, failed ${row.movesFailed}   ${row.messages} messages: lost ${row.lost} doubled ${row.doubled} reordered ${row.reordered}`,
    `${" ".repeat(16)} owner killed: served again ${ms(row.servedAgainMs)}   restored ${ms(row.restoreMs)} (fence ${r(restoreParts.fenceMs)} read ${r(restoreParts.readMs)} ` +
      `replay of ${restoreParts.logTurns} turns ${r(restoreParts.replayMs)})   answered turns lost ${restoreParts.lostTurns}`,
  ];
}

function ms(value: number | null): string {
  return value === null ? "not while clients talked" : `${round(value)} ms`;
}

/** Bytes for people. */
function sizeOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6 ? `${round(bytes / 1e3)} KB` : `${round(bytes / 1e6)} MB`;
}

function rounded(row: StrategyRow): object {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, typeof value === "number" ? round(value) : value]));
}
