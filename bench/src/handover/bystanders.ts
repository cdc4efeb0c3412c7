import { median, percentile, round } from "../common/percentiles.js";
import { startBenchCluster } from "./bench-cluster.js";
import type { ClientsResult } from "./clients-child.js";
import type { DriveResult } from "./driver.js";

/** How sessions fare that do not move while others do. */
export interface BystandersResult {
  readonly quietP99Ms: number;
  readonly busyP99Ms: number;
  readonly movesPerSec: number;
  readonly runs: number;
}

const SESSIONS = 100;
const RUNS = 5;
const RUN_MS = 3_000;
const MOVES_PER_SEC = 100;

/** Alternates quiet and busy runs; medians of the runs' p99. */
export async function measureBystanders(): Promise<BystandersResult> {
  const cluster = await startBenchCluster(["a", "b"], {});
  try {
    const { nodes, clients } = cluster;
    const still = Array.from({ length: SESSIONS }, (_, i) => `bench/still${i}`);
    const moving = Array.from({ length: SESSIONS }, (_, i) => `bench/moving${i}`);
    const endpoints = nodes.map((node) => node.endpoint);
    await clients.ask("open", { sessions: still, endpoints });
    await clients.ask("open", { sessions: moving, endpoints });
    const talk = () => clients.ask<ClientsResult>("talk", { everyMs: 50, forMs: RUN_MS, sessions: still });
    const drive = async () => {
      const driven = await Promise.all(
        nodes.map(({ child }, i) =>
          child.ask<DriveResult>("drive", {
            sessions: moving,
            to: nodes[1 - i]?.id,
            inFlight: 16,
            perSec: MOVES_PER_SEC / 2,
            forMs: RUN_MS,
          }),
        ),
      );
      return driven.reduce((sum, { moved }) => sum + moved, 0);
    };
    const p99 = (heard: ClientsResult) =>
      percentile(
        heard.messages.map((message) => message.answeredAtMs - message.sentAtMs),
        99,
      );
    await Promise.all([talk(), drive()]);
    const quiet: number[] = [];
    const busy: number[] = [];
    let moves = 0;
    for (let run = 0; run < RUNS; run++) {
      quiet.push(p99(await talk()));
      const [heard, moved] = await Promise.all([talk(), drive()]);
      busy.push(p99(heard));
      moves += moved;
    }
    return {
      quietP99Ms: round(median(quiet)),
      busyP99Ms: round(median(busy)),
      movesPerSec: Math.round(moves / ((RUNS * RUN_MS) / 1_000)),
      runs: RUNS,
    };
  } finally {
    await cluster.stop();
  }
}
