import { percentile, round } from "../common/percentiles.js";
import { type BenchCluster, startBenchCluster } from "./bench-cluster.js";
import type { ClientsResult } from "./clients-child.js";
import type { MoveTimes } from "./node-child.js";

/** One session that moves while its one client says a number every 5 ms. */
export interface SingleMoveResult {
  readonly takenP50Us: number;
  readonly takenP99Us: number;
  readonly moves: number;
  readonly ordinaryP99Ms: number;
  readonly metMoveP99Ms: number;
  readonly metMoves: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

const SESSION = "bench/single";
const MOVES = 400;
const WARM_UP_MOVES = 60;
const WARM_UP_MS = 4_000;
const PAUSE_MS = 20;

/** A node that hands sessions over all day runs compiled code; so should what is measured. */
async function warmUp({ nodes, clients }: BenchCluster): Promise<void> {
  const sessions = Array.from({ length: 50 }, (_, i) => `bench/warm${i}`);
  await clients.ask("open", { sessions, endpoints: nodes.map((node) => node.endpoint) });
  await Promise.all(
    nodes.map(({ child }, i) => child.ask("drive", { sessions, to: nodes[1 - i]?.id, inFlight: 16, perSec: 1_000_000, forMs: WARM_UP_MS })),
  );
}

/** @param standbys 0: every target starts with nothing and gets a whole copy; 1: the node it came from keeps one */
export async function measureSingleMove(standbys: number): Promise<SingleMoveResult> {
  const cluster = await startBenchCluster(["a", "b"], { standbys });
  try {
    const { nodes, clients } = cluster;
    const endpoints = nodes.map((node) => node.endpoint);
    await clients.ask("open", { sessions: [SESSION], endpoints });
    await warmUp(cluster);
    const forMs = (MOVES + WARM_UP_MOVES) * (PAUSE_MS + 10) + 500;
    const talking = clients.ask<ClientsResult>("talk", { everyMs: 5, forMs, sessions: [SESSION] });
    const times: MoveTimes[] = [];
    for (let i = 0; i < MOVES + WARM_UP_MOVES; i++) {
      const from = nodes[i % 2];
      const to = nodes[(i + 1) % 2];
      const moved = await from?.child.ask<MoveTimes>("moveOne", { session: SESSION, to: to?.id });
      if (moved !== undefined && i >= WARM_UP_MOVES) times.push(moved);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const heard = await talking;
    const taken = times.map((move) => (move.takenAtMs - move.frozenAtMs) * 1_000);
    const ordinary: number[] = [];
    const met: number[] = [];
    let at = 0;
    for (const message of [...heard.messages].sort((a, b) => a.sentAtMs - b.sentAtMs)) {
      while (at < times.length && (times[at] as MoveTimes).takenAtMs < message.sentAtMs) at++;
      const move = times[at];
      const took = message.answeredAtMs - message.sentAtMs;
      if (move !== undefined && move.frozenAtMs <= message.answeredAtMs) met.push(took);
      else ordinary.push(took);
    }
    return {
      takenP50Us: round(percentile(taken, 50)),
      takenP99Us: round(percentile(taken, 99)),
      moves: taken.length,
      ordinaryP99Ms: round(percentile(ordinary, 99)),
      metMoveP99Ms: round(percentile(met, 99)),
      metMoves: met.length,
      lost: heard.lost,
      doubled: heard.doubled,
      reordered: heard.reordered,
    };
  } finally {
    await cluster.stop();
  }
}
