import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { LossReport, MoveReport, NodeRef, Strategy } from "@sojourn/core";
import type { NodeRuntime } from "../host/node-runtime.js";

/** Percentiles of a duration in milliseconds. */
export interface DurationSummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a node says of itself. All plain data. */
export interface NodeStatus {
  readonly id: string;
  readonly self: NodeRef | null;
  readonly cordoned: boolean;
  readonly clients: number;
  readonly sessions: {
    readonly owned: number;
    readonly copies: number;
    readonly handingOver: number;
    /** Encoded size of the copies, as they were last measured. */
    readonly copyBytes: number;
  };
  /** Owned sessions by what keeps them. */
  readonly strategies: Readonly<Record<Strategy, number>>;
  /** Owned sessions whose store lacks their latest turns, and those that go on without the store because it does not answer. */
  readonly store: {
    readonly behind: number;
    readonly away: number;
    /** For how long at most the store of any of them has lacked something. */
    readonly behindMaxMs: number;
  };
  /** How often sessions were given another strategy here. */
  readonly strategyChanges: { readonly changed: number; readonly failed: number };
  readonly moves: { readonly inFlight: number; readonly moved: number; readonly failed: number };
  /** How often other nodes came under suspicion here; sessions that copies here took over from lost nodes, and from suspected ones. */
  readonly failovers: { readonly suspicions: number; readonly promoted: number; readonly promotedOnSuspicion: number };
  /** Freeze → TAKEN of the sessions that this node gave away. */
  readonly blackoutMs: DurationSummary;
  /** What clients had seen and sent of turns that were lost with another node (`durability: "eventual"`), as far as they came back here. */
  readonly lost: { readonly clients: number; readonly outputs: number; readonly inputs: number };
  readonly incidents: Readonly<Record<string, number>>;
  readonly nodes: readonly {
    readonly id: string;
    readonly self: NodeRef;
    readonly cordoned: boolean;
    readonly up: boolean;
    readonly rttMs: number | null;
  }[];
}

const NS_PER_MS = 1_000_000;

/** Counters and histograms of one node. Recording costs tens of nanoseconds; everything else happens when somebody looks. */
export class NodeMetrics {
  readonly #blackoutNs: RecordableHistogram = createHistogram();
  readonly #incidents = new Map<string, number>();
  readonly #lost = { clients: 0, outputs: 0, inputs: 0 };

  countMove(report: MoveReport): void {
    this.#blackoutNs.record(Math.max(1, Math.round(report.blackoutMs * NS_PER_MS)));
  }

  countLoss(report: LossReport): void {
    this.#lost.clients++;
    this.#lost.outputs += report.lostOutputs;
    this.#lost.inputs += report.lostInputs;
  }

  countIncident(code: string): void {
    this.#incidents.set(code, (this.#incidents.get(code) ?? 0) + 1);
  }

  blackout(): DurationSummary {
    return summarize(this.#blackoutNs);
  }

  status(id: string, runtime: NodeRuntime, clients: number): NodeStatus {
    const { host, mover } = runtime;
    const count = { owner: 0, standby: 0, granted: 0, restoring: 0, absent: 0 };
    const strategies = { replica: 0, hybrid: 0, snapshot: 0 };
    const store = { none: 0, kept: 0, behind: 0, away: 0 };
    let behindMaxMs = 0;
    for (const slot of host?.slots.values() ?? []) {
      count[slot.role.kind]++;
      if (slot.owner === null) continue;
      strategies[slot.cas.record?.strategy ?? "replica"]++;
      store[slot.owner.store.state]++;
      behindMaxMs = Math.max(behindMaxMs, slot.owner.store.behindMs);
    }
    const nodes = host?.membership.live() ?? [];
    return {
      id,
      self: runtime.self,
      cordoned: host?.membership.info.cordoned ?? false,
      clients,
      sessions: { owned: count.owner, copies: count.standby, handingOver: count.granted, copyBytes: host?.copyBytes ?? 0 },
      strategies,
      store: { behind: store.behind, away: store.away, behindMaxMs },
      strategyChanges: runtime.strategist?.counts ?? { changed: 0, failed: 0 },
      moves: { inFlight: mover?.inFlight ?? 0, moved: mover?.moved ?? 0, failed: mover?.failed ?? 0 },
      failovers: host?.failovers ?? { suspicions: 0, promoted: 0, promotedOnSuspicion: 0 },
      blackoutMs: this.blackout(),
      lost: { ...this.#lost },
      incidents: Object.fromEntries(this.#incidents),
      nodes: nodes.map(({ ref, info }) => ({
        id: info.id,
        self: ref,
        cordoned: info.cordoned,
        up: host?.isUp(ref) ?? false,
        rttMs: host?.rttMs(ref) ?? null,
      })),
    };
  }
}

function summarize(histogram: RecordableHistogram): DurationSummary {
  const { count } = histogram;
  if (count === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
  const ms = (ns: number) => Math.round((ns / NS_PER_MS) * 1_000) / 1_000;
  return { count, p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) };
}
