import type { Failover } from "@sojourn/core";
import { type BenchCluster, startBenchCluster } from "../handover/bench-cluster.js";
import type { ClientsResult } from "../handover/clients-child.js";

/** How an owner goes away. */
export type Going = "killed" | "leaves";

/** Several owners that went away under load. */
export interface Outages {
  /** Per client: from the moment at which its owner went to the first answer to something it said after that. */
  readonly servedAgainMs: readonly number[];
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly failed: number;
}

export const LEASE_MS = 2_000;
const SESSIONS = 5;
const EVERY_MS = 5;
const BEFORE_MS = 1_000;
/** Long enough for the longest outage, and calm after it. */
const AFTER_MS = 2 * LEASE_MS;

/** A fresh cluster of three for each round; all sessions are owned by the node that goes, and talk 1,000 times a second together. */
export async function measureOutages(failover: Failover, going: Going, rounds: number): Promise<Outages> {
  const all = { servedAgainMs: [] as number[], messages: 0, lost: 0, doubled: 0, reordered: 0, failed: 0 };
  for (let round = 0; round < rounds; round++) {
    const cluster = await startBenchCluster(["a", "b", "c"], { leaseTtlMs: LEASE_MS, standbys: 1 }, { failover });
    const { servedAgainMs, result } = await goOnce(cluster, going).finally(() => cluster.stop());
    all.servedAgainMs.push(...servedAgainMs);
    all.messages += result.sent;
    all.lost += result.lost;
    all.doubled += result.doubled;
    all.reordered += result.reordered;
    all.failed += Object.values(result.errors).reduce((sum, count) => sum + count, 0);
  }
  return all;
}

async function goOnce(cluster: BenchCluster, going: Going): Promise<{ servedAgainMs: number[]; result: ClientsResult }> {
  const sessions = Array.from({ length: SESSIONS }, (_, i) => `bench/${i}`);
  const endpoints = cluster.nodes.map(({ endpoint }) => endpoint);
  const owner = cluster.nodes[0]?.child;
  if (owner === undefined) throw new Error("no node was started");
  // A session begins where its first client lands: all of them on the node that goes.
  for (const session of sessions) await cluster.clients.ask("open", { sessions: [session], endpoints });
  const talking = cluster.clients.ask<ClientsResult>("talk", { sessions, everyMs: EVERY_MS, forMs: BEFORE_MS + AFTER_MS });
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  const goneAtMs = Number(process.hrtime.bigint()) / 1e6;
  if (going === "killed") owner.kill();
  else await owner.ask("leave");
  const result = await talking;
  const servedAgainMs = sessions.flatMap((session) => {
    const after = result.messages.filter((message) => message.session === session && message.sentAtMs >= goneAtMs);
    return after.length === 0 ? [] : [Math.min(...after.map(({ answeredAtMs }) => answeredAtMs)) - goneAtMs];
  });
  return { servedAgainMs, result };
}
