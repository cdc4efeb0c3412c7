import { percentile, round } from "../common/percentiles.js";
import { type BenchCluster, startBenchCluster } from "./bench-cluster.js";
import type { ClientsResult } from "./clients-child.js";
import type { DriveResult, MoveTimes } from "./driver.js";

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
const FOR_MS = 6_000;
const WARM_UP_MS = 4_000;
/** Moves a second when they are paced; the cores fall asleep in between. */
const PACED_PER_SEC = 40;

/** A node that hands sessions over all day runs compiled code; so should what is measured. */
async function warmUp({ nodes, clients }: BenchCluster): Promise<void> {
  const sessions = Array.from({ length: 50 }, (_, i) => `bench/warm${i}`);
  await clients.ask("open", { sessions, endpoints: nodes.map((node) => node.endpoint) });
  await Promise.all(
    nodes.map(({ child }, i) => child.ask("drive", { sessions, to: nodes[1 - i]?.id, inFlight: 16, perSec: 1_000_000, forMs: WARM_UP_MS })),
  );
}

/**
 * @param standbys 0: every target starts with nothing and gets a whole copy; 1: the node it came from keeps one
 * @param paced false: the next move begins as soon as the one before is over, as the floor's next round trip does
 */
export async function measureSingleMove(standbys: number, paced: boolean): Promise<SingleMoveResult> {
  const cluster = await startBenchCluster(["a", "b"], { standbys });
  try {
    const { nodes, clients } = cluster;
    const endpoints = nodes.map((node) => node.endpoint);
    await clients.ask("open", { sessions: [SESSION], endpoints });
    await warmUp(cluster);
    const talking = clients.ask<ClientsResult>("talk", { everyMs: 5, forMs: FOR_MS, sessions: [SESSION] });
    const perSec = paced ? PACED_PER_SEC / 2 : 1_000_000;
    const driven = await Promise.all(
      nodes.map(({ child }, i) =>
        child.ask<DriveResult>("drive", { sessions: [SESSION], to: nodes[1 - i]?.id, inFlight: 1, perSec, forMs: FOR_MS }),
      ),
    );
    const times = driven.flatMap((node) => node.times).sort((a, b) => a.frozenAtMs - b.frozenAtMs);
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
