import type { KindName, SizedCluster } from "./sized-cluster.js";

/** What turns cost while every session's client says something as soon as it is answered. */
export interface TurnCost {
  readonly turnsPerSec: number;
  /** Processor time of both nodes for one turn. */
  readonly cpuUs: number;
}

/** One window with all sessions of one kind. */
export async function measureTurns({ cluster, owner, other, sessions }: SizedCluster, kind: KindName, forMs: number): Promise<TurnCost> {
  const cpuUs = async () => {
    const usages = await Promise.all([owner, other].map((node) => node.ask<NodeJS.CpuUsage>("cpu")));
    return usages.reduce((sum, { user, system }) => sum + user + system, 0);
  };
  const before = await cpuUs();
  const turnsPerSec = await cluster.clients.ask<number>("hammer", { sessions: sessions[kind], forMs });
  const used = (await cpuUs()) - before;
  return { turnsPerSec, cpuUs: used / ((turnsPerSec * forMs) / 1_000) };
}
