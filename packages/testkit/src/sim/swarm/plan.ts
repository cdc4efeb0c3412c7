import type { ClientLimits } from "@sojourn/client";
import type { Failover, Limits } from "@sojourn/core";
import type { FaultPlan } from "../faults.js";
import type { DiskRates } from "../virtual-store.js";

/** What a seed may let go wrong, but for `LATE_FAULTS`. */
export const EARLY_FAULTS = [
  "delay",
  "loss",
  "duplication",
  "replay",
  "reordering",
  "corruption",
  "connectionReset",
  "cutOne",
  "cutMinority",
  "cutMajority",
  "cutRing",
  "cutOneWay",
  "cutFlapping",
  "crash",
  "crashAtStep",
  "crashPair",
  "pause",
  "slowNode",
  "directorySlow",
  "directoryUnreachable",
  "directoryPause",
  "directoryRestart",
  "directoryPowerLoss",
  "casAnswerLost",
  "casLate",
  "clockRate",
  "wallJump",
  "wallStrobe",
  "socketCut",
  "socketHalfOpen",
  "stolenToken",
  "powerLoss",
] as const;

/** Drawn apart from the others, so that the earlier ones of a seed stay what they were. */
export const LATE_FAULTS = ["failedWrite", "tornWrite", "misdirectedWrite", "flippedBit", "diskFull", "sleep"] as const;

/** Everything that a seed may let go wrong. Each seed draws which of them are on; who is accused belongs to fail-over on suspicion. */
export const FAULTS = [...EARLY_FAULTS, ...LATE_FAULTS, "accusation"] as const;

/** One thing that may go wrong. */
export type Fault = (typeof FAULTS)[number];

/** What the sessions and their clients are busy with, but for `LATE_WORKLOADS`. */
export const EARLY_WORKLOADS = [
  "chat",
  "roam",
  "timers",
  "large",
  "batch",
  "cross",
  "drain",
  "rolling",
  "away",
  "linkEnd",
  "sessionEnd",
  "io",
  "versions",
] as const;

/** Drawn apart: very many clients that come back at once, and sessions whose epochs are near their limit. */
export const LATE_WORKLOADS = ["crowd", "lateEpochs"] as const;

/** All kinds of work. Sessions are given other strategies where seeds are given a store; `walled` clients reach one node only. */
export const WORKLOADS = [...EARLY_WORKLOADS, ...LATE_WORKLOADS, "strategies", "walled"] as const;

/** One kind of work. */
export type Workload = (typeof WORKLOADS)[number];

/** The moments of a hand-over at which a node may be made to die. */
export const MOMENTS = ["offer", "accept", "base", "prepare", "grant", "taken", "commit", "released"] as const;

/** A moment of a hand-over, or that of a claim. */
export type Moment = (typeof MOMENTS)[number] | "claim";

/** What happens at some time. Which numbers mean what stands at `do`; what does not exist then is left out. */
export interface PlannedEvent {
  readonly atMs: number;
  readonly do:
    | Exclude<
        Fault,
        | "delay"
        | "loss"
        | "duplication"
        | "replay"
        | "reordering"
        | "corruption"
        | "clockRate"
        | "failedWrite"
        | "tornWrite"
        | "misdirectedWrite"
        | "flippedBit"
      >
    | "oldAnswer"
    | "storeDown"
    | "storeFull"
    | "allDie"
    | "move"
    | "batch"
    | "cross"
    | "drain"
    | "rolling"
    | "burst"
    | "arm"
    | "strategy"
    | "fill"
    | "io"
    | "away"
    | "linkEnd"
    | "sessionEnd";
  /** A node, and another. */
  readonly node?: number;
  readonly other?: number;
  readonly session?: number;
  readonly client?: number;
  readonly forMs?: number;
  /** Milliseconds, bytes or a probability. */
  readonly amount?: number;
  readonly moment?: Moment;
}

/** One session and its clients. */
export interface PlannedSession {
  readonly clients: number;
  /** Mean time between two messages of one client. */
  readonly talkMs: number;
  /** The node its clients know first. */
  readonly home: number;
}

/** A seed whose sessions are kept in a store, or may come to be. */
export interface StorePlan {
  /** What they begin with. */
  readonly strategy: "replica" | "hybrid";
  readonly delayMs: number;
  /** Parts of all requests that are refused, whose answer is lost, and that are carried out late. */
  readonly refused: number;
  readonly lostAnswers: number;
  readonly late: number;
}

/** One run as plain data. The same plan gives the same run. */
export interface SeedPlan {
  readonly seed: number;
  readonly nodes: number;
  /** Nodes that run the next version of the sessions' definition. */
  readonly newer: readonly number[];
  readonly limits: Partial<Limits>;
  readonly clientLimits: Partial<ClientLimits>;
  readonly network: FaultPlan;
  readonly directory: {
    readonly delayMs: number;
    readonly appendMs: number;
    readonly lostAnswers: number;
    readonly lateWrites: number;
    /** What its disk does wrong. */
    readonly disk?: DiskRates;
  };
  /** Without it sessions have copies in memory, and nothing else. */
  readonly store?: StorePlan;
  /** The epoch from which sessions begin; 0 when left out. */
  readonly firstEpoch?: number;
  /** How much faster than real time clocks run: the directory's, then the nodes'. */
  readonly rates: readonly number[];
  readonly sessions: readonly PlannedSession[];
  /** When copies take over. */
  readonly failover: Failover;
  /** How long faults and work go on before everything must settle. */
  readonly activeMs: number;
  readonly events: readonly PlannedEvent[];
  readonly faults: readonly Fault[];
  readonly workloads: readonly Workload[];
}
