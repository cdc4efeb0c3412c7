import { statSync } from "node:fs";
import { join } from "node:path";
import type { Limits } from "@sojourn/core";
import type { Child } from "../common/child.js";
import { type BenchCluster, startBenchCluster } from "../handover/bench-cluster.js";
import type { SizedKind } from "./sized-kind.js";

/** What is compared: a kind without any copy, and one of each strategy. */
export const KINDS = ["volatile", "replica", "hybrid", "snapshot"] as const;
export type KindName = (typeof KINDS)[number];
/** The three that keep sessions safe. */
export const SAFE_KINDS = ["replica", "hybrid", "snapshot"] as const;
export type SafeKindName = (typeof SAFE_KINDS)[number];

export const LEASE_MS = 2_000;
/** Every window has whole snapshots in it. */
export const SNAPSHOT_INTERVAL_MS = 1_000;
const LIMITS: Partial<Limits> = { leaseTtlMs: LEASE_MS, snapshotIntervalMs: SNAPSHOT_INTERVAL_MS };
/** Until copies and snapshots of new sessions have been made. */
const SETTLE_MS = 500;

/** The kinds of one size. All that can be strong is. */
export function kindsOf(stateBytes: number): SizedKind[] {
  return [
    { name: "volatile", stateBytes, strategy: "replica", durability: "strong", standbys: 0 },
    { name: "replica", stateBytes, strategy: "replica", durability: "strong", standbys: 1, failover: "suspicion" },
    { name: "hybrid", stateBytes, strategy: "hybrid", durability: "strong" },
    { name: "snapshot", stateBytes, strategy: "snapshot", durability: "eventual" },
  ];
}

/** Two nodes with the kinds of one size, and many sessions of each, owned by the first, each with a client. */
export interface SizedCluster {
  readonly cluster: BenchCluster;
  readonly owner: Child;
  readonly other: Child;
  /** The owner's first. */
  readonly endpoints: readonly string[];
  readonly sessions: Readonly<Record<KindName, readonly string[]>>;
  /** Memory that each session takes at the other node. */
  readonly copyBytes: Readonly<Record<KindName, number>>;
}

/** Starts it; everything is settled. */
export async function startSizedCluster(stateBytes: number, sessionsEach: number): Promise<SizedCluster> {
  const cluster = await startBenchCluster(["a", "b"], LIMITS, { kinds: kindsOf(stateBytes) });
  try {
    const [a, b] = cluster.nodes;
    if (a === undefined || b === undefined) throw new Error("two nodes were to be started");
    const endpoints = [a.endpoint, b.endpoint];
    const sessions = Object.fromEntries(KINDS.map((kind) => [kind, namesOf(kind, "s", sessionsEach)])) as Record<KindName, string[]>;
    const copyBytes = {} as Record<KindName, number>;
    // The first kind warms up what all share.
    for (const kind of KINDS) {
      await cluster.clients.ask("open", { sessions: namesOf(kind, "first", 1), endpoints, spread: false });
      await settle();
      const before = await b.child.ask<number>("memory");
      await cluster.clients.ask("open", { sessions: sessions[kind], endpoints, spread: false });
      await settle();
      copyBytes[kind] = Math.max(0, Math.round(((await b.child.ask<number>("memory")) - before) / sessionsEach));
    }
    return { cluster, owner: a.child, other: b.child, endpoints, sessions, copyBytes };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Names of sessions of a kind. */
export function namesOf(kind: string, purpose: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}/${purpose}${i}`);
}

/** Bytes of a kind's file on disk. */
export function diskBytes(cluster: BenchCluster, kind: KindName): number {
  if (kind === "volatile" || kind === "replica") return 0;
  return statSync(join(cluster.stores, kind, "data.mdb")).size;
}

export function settle(ms = SETTLE_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
