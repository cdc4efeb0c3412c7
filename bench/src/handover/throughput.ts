import { startBenchCluster } from "./bench-cluster.js";
import type { ClientsResult } from "./clients-child.js";
import type { DriveResult } from "./driver.js";

/** As many moves as two nodes manage while every session has a client that talks. */
export interface ThroughputResult {
  readonly movesPerSec: number;
  readonly moves: number;
  readonly failed: number;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly errors: Readonly<Record<string, number>>;
}

const SESSIONS = 200;
const FOR_MS = 5_000;
const WARM_UP_MS = 2_000;
const MESSAGE_EVERY_MS = 100;

/** @param standbys 0: every target starts with nothing and gets a whole copy; 1: the node it came from keeps one */
export async function measureThroughput(standbys: number, inFlight: number): Promise<ThroughputResult> {
  const cluster = await startBenchCluster(["a", "b"], { standbys });
  try {
    const { nodes, clients } = cluster;
    const sessions = Array.from({ length: SESSIONS }, (_, i) => `bench/t${i}`);
    await clients.ask("open", { sessions, endpoints: nodes.map((node) => node.endpoint) });
    const drive = (forMs: number) =>
      Promise.all(
        nodes.map(({ child }, i) =>
          child.ask<DriveResult>("drive", { sessions, to: nodes[1 - i]?.id, inFlight, perSec: 1_000_000, forMs }),
        ),
      );
    const talking = clients.ask<ClientsResult>("talk", { everyMs: MESSAGE_EVERY_MS, forMs: WARM_UP_MS + FOR_MS + 500, sessions });
    await drive(WARM_UP_MS);
    const driven = await drive(FOR_MS);
    const heard = await talking;
    const moves = driven.reduce((sum, { moved }) => sum + moved, 0);
    return {
      movesPerSec: Math.round(moves / (FOR_MS / 1_000)),
      moves,
      failed: driven.reduce((sum, { failed }) => sum + failed, 0),
      messages: heard.sent,
      lost: heard.lost,
      doubled: heard.doubled,
      reordered: heard.reordered,
      errors: heard.errors,
    };
  } finally {
    await cluster.stop();
  }
}
