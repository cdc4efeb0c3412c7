import type { Limits } from "@sojourn/core";
import { percentile } from "../common/percentiles.js";
import { type BenchCluster, startBenchCluster } from "../handover/bench-cluster.js";
import type { ClientsResult } from "../handover/clients-child.js";
import type { DriveResult } from "../handover/driver.js";
import { namesOf, settle } from "./sized-cluster.js";
import type { SizedKind } from "./sized-kind.js";

/** One sort of session in the mixture. */
interface Sort {
  readonly name: string;
  readonly stateBytes: number;
  readonly sessions: number;
  /** A client of each says something so often. */
  readonly everyMs: number;
  /** Of all of them together. */
  readonly movesPerSec: number;
}

/** Small and hot, medium, large and cold. */
export const MIXTURE: readonly Sort[] = [
  { name: "small", stateBytes: 1_000, sessions: 60, everyMs: 200, movesPerSec: 30 },
  { name: "medium", stateBytes: 50_000, sessions: 12, everyMs: 1_000, movesPerSec: 1 },
  { name: "large", stateBytes: 1_000_000, sessions: 8, everyMs: 20_000, movesPerSec: 0 },
];

/** What a mixture costs under one strategy. */
export interface MixedCost {
  /** Freeze → TAKEN of all moves. */
  readonly blackoutP50Us: number;
  /** What the sessions take in the memory of all nodes, live, with whatever the nodes keep for them. */
  readonly memoryBytes: number;
  /** What the nodes wrote to each other, to the directory and to their stores' files, in the window. */
  readonly ioBytes: number;
  readonly moves: number;
  readonly movesFailed: number;
  readonly messages: number;
  readonly lost: number;
  /** Sessions by what keeps them at the end, sort by sort. */
  readonly kept: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const NODES = ["a", "b", "c"] as const;
/** In which nodes that choose have chosen. */
const WARM_UP_MS = 8_000;
const WINDOW_MS = 10_000;
const LIMITS: Partial<Limits> = { profileWindowMs: 1_000, strategySettleMs: 5_000 };

/** Runs the mixture with every kind under one strategy. */
export async function runMixture(strategy: SizedKind["strategy"]): Promise<MixedCost> {
  const kinds = MIXTURE.map(({ name, stateBytes }): SizedKind => ({ name, stateBytes, strategy, durability: "eventual" }));
  const cluster = await startBenchCluster(NODES, LIMITS, { kinds });
  try {
    const empty = await over(cluster, "memory");
    const endpoints = cluster.nodes.map(({ endpoint }) => endpoint);
    for (const { name, sessions } of MIXTURE) await cluster.clients.ask("open", { sessions: namesOf(name, "s", sessions), endpoints });
    await settle();
    await work(cluster, WARM_UP_MS);
    const [written, heard] = await Promise.all([over(cluster, "writtenBytes"), cluster.clients.ask<number>("readBytes")]);
    const { times, failed, messages, lost } = await work(cluster, WINDOW_MS);
    const toClients = (await cluster.clients.ask<number>("readBytes")) - heard;
    const ioBytes = (await over(cluster, "writtenBytes")) - written - toClients;
    return {
      blackoutP50Us: percentile(times, 50),
      memoryBytes: (await over(cluster, "memory")) - empty,
      ioBytes,
      moves: times.length,
      movesFailed: failed,
      messages,
      lost,
      kept: await keptBy(cluster),
    };
  } finally {
    await cluster.stop();
  }
}

/** A figure of all nodes together. */
async function over({ nodes }: BenchCluster, figure: "memory" | "writtenBytes"): Promise<number> {
  const of = await Promise.all(nodes.map(({ child }) => child.ask<number>(figure)));
  return of.reduce((sum, one) => sum + one, 0);
}

async function keptBy({ nodes }: BenchCluster): Promise<Record<string, Record<string, number>>> {
  const kept: Record<string, Record<string, number>> = {};
  for (const { child } of nodes) {
    for (const [session, strategy] of await child.ask<[string, string][]>("strategies")) {
      const sort = session.slice(0, session.indexOf("/"));
      const counts = kept[sort] ?? {};
      kept[sort] = { ...counts, [strategy]: (counts[strategy] ?? 0) + 1 };
    }
  }
  return kept;
}

/** Clients talk and sessions move, each sort as it is said. */
async function work({ nodes, clients }: BenchCluster, forMs: number) {
  const talking = MIXTURE.map(({ name, sessions, everyMs }) =>
    clients.ask<ClientsResult>("talk", { sessions: namesOf(name, "s", sessions), everyMs, forMs }),
  );
  const driven = await Promise.all(
    nodes.map(({ child }, i) =>
      child.ask<DriveResult>(
        "driveAll",
        MIXTURE.filter(({ movesPerSec }) => movesPerSec > 0).map(({ name, sessions, movesPerSec }) => ({
          sessions: namesOf(name, "s", sessions),
          to: nodes[(i + 1) % nodes.length]?.id,
          inFlight: 1,
          perSec: movesPerSec / nodes.length,
          forMs,
        })),
      ),
    ),
  );
  const heard = await Promise.all(talking);
  const sum = (figures: readonly number[]) => figures.reduce((total, one) => total + one, 0);
  return {
    times: driven.flatMap(({ times }) => times.map(({ frozenAtMs, takenAtMs }) => (takenAtMs - frozenAtMs) * 1_000)),
    failed: sum(driven.map(({ failed }) => failed)),
    messages: sum(heard.map(({ sent }) => sent)),
    lost: sum(heard.map(({ lost }) => lost)),
  };
}
