import { cpus } from "node:os";
import { round } from "../common/percentiles.js";
import { measureBystanders } from "./bystanders.js";
import { measureFloor } from "./floor.js";
import { measureSingleMove } from "./single-move.js";
import { measureThroughput } from "./throughput.js";

const IN_FLIGHT = 200;

const NOT_MEASURED =
  "Not measured: distance (all processes share one machine and its loopback), more than two nodes, states other than 5 KB, TLS, and the\n" +
  "client's own rendering. Processes compete for the cores, so ratios hold from run to run and absolute figures do not.";

/** The bench `handover`: the floor, one session's move, moves a second, and bystanders, in one run. */
export async function runHandoverBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`handover: 5 KB sessions, Node ${process.version}, ${cpus().length} cores`);
  const floor = await measureFloor();
  say(
    `floor       encode + TCP + decode + acknowledge   p50 ${floor.p50Us} µs   p99 ${floor.p99Us} µs   ${floor.perSec}/s pipelined (${floor.bytes} bytes); one every 25 ms: p50 ${floor.pacedP50Us} µs`,
  );
  const cold = await measureSingleMove(0, false);
  const warm = await measureSingleMove(1, false);
  const paced = await measureSingleMove(0, true);
  for (const [name, move, base] of [
    ["to a node with nothing", cold, floor.p50Us],
    ["to a node with a copy", warm, floor.p50Us],
    ["one every 25 ms", paced, floor.pacedP50Us],
  ] as const) {
    say(
      `move        ${name.padEnd(24)} freeze → TAKEN p50 ${move.takenP50Us} µs (${round(move.takenP50Us / base)} × floor)   p99 ${move.takenP99Us} µs`,
    );
    say(
      `client        a message's answer: ordinary p99 ${move.ordinaryP99Ms} ms, met a move p99 ${move.metMoveP99Ms} ms (${move.metMoves} of them)   lost ${move.lost} doubled ${move.doubled} reordered ${move.reordered}`,
    );
  }
  const coldRate = await measureThroughput(0, IN_FLIGHT);
  const warmRate = await measureThroughput(1, IN_FLIGHT);
  for (const [name, rate] of [
    ["to a node with nothing", coldRate],
    ["to a node with a copy", warmRate],
  ] as const) {
    say(
      `throughput  ${name.padEnd(24)} ${rate.movesPerSec} moves/s with 200 clients (${round(rate.movesPerSec / floor.perSec)} × floor)   ` +
        `failed ${rate.failed}   ${rate.messages} messages: lost ${rate.lost} doubled ${rate.doubled} reordered ${rate.reordered}`,
    );
  }
  const bystanders = await measureBystanders();
  say(
    `bystanders  p99 quiet ${bystanders.quietP99Ms} ms, while ${bystanders.movesPerSec} moves/s go on ${bystanders.busyP99Ms} ms ` +
      `(${round(bystanders.busyP99Ms / bystanders.quietP99Ms)} ×; medians of ${bystanders.runs} alternating runs)`,
  );
  say(NOT_MEASURED);
  if (!json) return;
  const { movesPerSec, lost, doubled, reordered } = coldRate;
  say(
    JSON.stringify({
      bench: "handover",
      floor,
      move: { takenP50Us: cold.takenP50Us, takenP99Us: cold.takenP99Us, overFloorP50: round(cold.takenP50Us / floor.p50Us) },
      client: { ordinaryP99Ms: cold.ordinaryP99Ms, metMoveP99Ms: cold.metMoveP99Ms },
      throughput: { movesPerSec, lost, doubled, reordered, failed: coldRate.failed, overFloor: round(movesPerSec / floor.perSec) },
      bystanders,
      warm: { move: warm, throughput: warmRate },
      paced: { move: paced, overPacedFloorP50: round(paced.takenP50Us / floor.pacedP50Us) },
    }),
  );
}
