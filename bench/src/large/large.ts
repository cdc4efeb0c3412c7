import { cpus } from "node:os";
import { percentile, round } from "../common/percentiles.js";
import { type BenchCluster, startBenchCluster } from "../handover/bench-cluster.js";
import type { ClientsResult } from "../handover/clients-child.js";
import type { MoveTimes } from "../handover/driver.js";
import { measureFloor } from "../handover/floor.js";
import { settle } from "../strategies/sized-cluster.js";
import { measureTcpRate } from "./tcp-rate.js";

const ARRAY_BYTES = 64 * 1_048_576;
/** 100 turns a second. */
const EVERY_MS = 10;
const CONTROL_MS = 3_000;
const WARM_UP_MOVES = 10;
const MOVES_MS = 15_000;
/** Between two moves: the copy that the first left behind is gone before the session comes back. */
const GAP_MS = 200;

const NOT_MEASURED =
  "Not measured: distance (all processes share one machine and its loopback), TLS, more than one session at a time, turns that write faster\n" +
  "than the way carries. Copying takes both cores, so what a client waits for is also the wait for a core.";

/** One session that moves to and fro while its client talks. */
interface Moving {
  readonly moves: number;
  readonly frozenP50Us: number;
  readonly frozenP99Us: number;
  readonly totalP50Ms: number;
  readonly controlP99Ms: number;
  readonly movingP99Ms: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

async function measureMoving({ nodes, clients }: BenchCluster, session: string): Promise<Moving> {
  await clients.ask("open", { sessions: [session], endpoints: nodes.map(({ endpoint }) => endpoint) });
  const talk = (forMs: number) => clients.ask<ClientsResult>("talk", { everyMs: EVERY_MS, forMs, sessions: [session] });
  const times: MoveTimes[] = [];
  const move = async (i: number) => {
    const [from, to] = i % 2 === 0 ? [nodes[0], nodes[1]] : [nodes[1], nodes[0]];
    const moved = await from?.child.ask<MoveTimes>("moveOne", { session, to: to?.id });
    if (moved !== undefined) times.push(moved);
    await settle(GAP_MS);
  };
  for (let i = 0; i < WARM_UP_MOVES; i++) await move(i);
  times.length = 0;
  const control = await talk(CONTROL_MS);
  const talking = talk(MOVES_MS);
  const endAtMs = Date.now() + MOVES_MS;
  for (let i = WARM_UP_MOVES; Date.now() < endAtMs - GAP_MS; i++) await move(i);
  const heard = await talking;
  await clients.ask("leave", [session]);
  const frozenUs = times.map(({ frozenAtMs, takenAtMs }) => (takenAtMs - frozenAtMs) * 1_000);
  const tripMs = ({ messages }: ClientsResult) => messages.map(({ sentAtMs, answeredAtMs }) => answeredAtMs - sentAtMs);
  return {
    moves: times.length,
    frozenP50Us: round(percentile(frozenUs, 50)),
    frozenP99Us: round(percentile(frozenUs, 99)),
    totalP50Ms: round(
      percentile(
        times.map(({ totalMs }) => totalMs),
        50,
      ),
    ),
    controlP99Ms: round(percentile(tripMs(control), 99)),
    movingP99Ms: round(percentile(tripMs(heard), 99)),
    lost: control.lost + heard.lost,
    doubled: heard.doubled,
    reordered: heard.reordered,
  };
}

/** The bench `large`: a session of 64 MB beside one of 5 KB, and beside what one TCP connection carries. */
export async function runLargeBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`large: a session of 64 MB that takes ${1_000 / EVERY_MS} turns a second, Node ${process.version}, ${cpus().length} cores`);
  const floor = await measureFloor();
  const tcpBytesPerSec = await measureTcpRate(ARRAY_BYTES, false);
  const keptBytesPerSec = await measureTcpRate(ARRAY_BYTES, true);
  const mb = (bytes: number) => Math.round(bytes / 1_048_576);
  say(
    `floor       5 KB encoded, sent, decoded, acknowledged p50 ${floor.p50Us} µs; one TCP connection carries ${mb(tcpBytesPerSec)} MB/s, into fresh memory ${mb(keptBytesPerSec)} MB/s`,
  );
  const shared = { stateBytes: 5_000, strategy: "replica", durability: "strong", standbys: 0 } as const;
  const kinds = [
    { ...shared, name: "small" },
    { ...shared, name: "large", arrayBytes: ARRAY_BYTES },
  ];
  const cluster = await startBenchCluster(["a", "b"], { standbys: 0 }, { kinds });
  try {
    const small = await measureMoving(cluster, "small/one");
    const large = await measureMoving(cluster, "large/one");
    for (const [name, moving] of [
      ["5 KB", small],
      ["64 MB", large],
    ] as const) {
      say(
        `${name.padEnd(11)} freeze → TAKEN p50 ${moving.frozenP50Us} µs p99 ${moving.frozenP99Us} µs   offer → TAKEN p50 ${moving.totalP50Ms} ms   ${moving.moves} moves`,
      );
      say(
        `              a message's answer: p99 ${moving.controlP99Ms} ms without moves, ${moving.movingP99Ms} ms while it moves to and fro   ` +
          `lost ${moving.lost} doubled ${moving.doubled} reordered ${moving.reordered}`,
      );
    }
    const copyBytesPerSec = (ARRAY_BYTES * 1_000) / large.totalP50Ms;
    const blackoutRatio = round(large.frozenP50Us / small.frozenP50Us);
    const rateRatio = round(copyBytesPerSec / tcpBytesPerSec);
    const verdict = (met: boolean) => (met ? "met" : "missed");
    say(`goal        blackout of 64 MB ≤ 2 × that of 5 KB: ${blackoutRatio} ×, ${verdict(blackoutRatio <= 2)}`);
    say(
      `goal        copied at ≥ 60 % of one TCP connection: ${mb(copyBytesPerSec)} MB/s, ${round(rateRatio * 100)} %, ${verdict(rateRatio >= 0.6)} (${round((copyBytesPerSec / keptBytesPerSec) * 100)} % of one into fresh memory)`,
    );
    say(NOT_MEASURED);
    if (json)
      say(
        JSON.stringify({ bench: "large", floor, tcpBytesPerSec, keptBytesPerSec, small, large, copyBytesPerSec, blackoutRatio, rateRatio }),
      );
  } finally {
    await cluster.stop();
  }
}
