import { LIMITS } from "../limits/catalogue.js";
import type { Figures } from "./figures.js";
import { type Estimate, Reckoning } from "./reckoning.js";
import type { Strategy } from "./strategy.js";
import type { Workload } from "./workload.js";

/** Seconds of an average month. */
export const MONTH_SEC = 2_629_800;
/** Bytes of a gigabyte as providers charge for it. */
export const GB = 1e9;
const MB = 1e6;
const KEPT_SNAPSHOTS = LIMITS.retainedBases.default;
/** A copy of a `strong` session takes over when the owner has been silent for so long. */
export const SUSPECTED_MS = LIMITS.suspectAfterMs.default;

/** What a strategy costs for a workload. Rates, bytes and money are those of all its sessions together. */
export interface StrategyEstimate {
  readonly strategy: Strategy;
  /** A planned move: last turn at the old owner to the first possible one at the new. */
  readonly blackoutMs: Estimate;
  /** Before a planned move to a node that holds nothing, while the session runs on. */
  readonly copyMs: Estimate;
  /** Loss of a node to the session running again. */
  readonly failoverMs: Estimate;
  /** What a turn's output waits for. */
  readonly outputWaitMs: Estimate;
  readonly memoryBytes: Estimate;
  readonly storedBytes: Estimate;
  readonly storeBytesPerSec: Estimate;
  readonly networkBytesPerSec: Estimate;
  readonly storeRequestsPerSec: Estimate;
  /** At the loss of a node, per session, on average. */
  readonly lostMs: Estimate;
  readonly lostTurns: Estimate;
  readonly usdPerMonth: Estimate;
  /** What the money is for; the three together. */
  readonly memoryUsdPerMonth: Estimate;
  readonly storeUsdPerMonth: Estimate;
  readonly trafficUsdPerMonth: Estimate;
  /** What a session survives: the end of its process, or also that of the machine with its disk. */
  readonly survives: "process" | "machine";
}

/** Works out what a strategy costs for a workload. */
export function estimateStrategy(strategy: Strategy, workload: Workload, figures: Figures): StrategyEstimate {
  const parts = strategy === "replica" ? replica(workload, figures) : stored(strategy, workload, figures);
  const r = new Reckoning(figures);
  const { standbys, stateBytes, sessions } = workload;
  const copies = strategy === "replica" ? 1 + standbys : 1;
  const memoryBytes = r.done(sessions * copies * (r.use("session.heapPerByte") * stateBytes + r.use("session.heapBytes")));
  const blackoutMs = r.done(r.use(`move.${strategy}Ms`) + r.use("network.rttMs") / 2);
  const copyMs = r.done(
    r.use("network.rttMs") +
      1_000 *
        (stateBytes / r.use("session.encodeBytesPerSec") +
          stateBytes / r.use("network.bytesPerSec") +
          stateBytes / r.use("session.restoreBytesPerSec")),
  );
  const lostTurns = r.done((r.of(parts.lostMs) * workload.turnsPerSec) / 1_000);
  const memoryUsdPerMonth = r.done((r.of(memoryBytes) / GB) * r.use("ram.usdPerGbMonth"));
  const storeUsdPerMonth = r.done(strategy === "replica" ? 0 : storeUsd(parts, workload, r));
  const trafficUsdPerMonth = r.done(((r.of(parts.networkBytesPerSec) * MONTH_SEC) / GB) * r.use("network.usdPerGb"));
  const usdPerMonth = r.done(r.of(memoryUsdPerMonth) + r.of(storeUsdPerMonth) + r.of(trafficUsdPerMonth));
  const money = { usdPerMonth, memoryUsdPerMonth, storeUsdPerMonth, trafficUsdPerMonth };
  return { strategy, ...parts, memoryBytes, blackoutMs, copyMs, lostTurns, ...money };
}

type Parts = Pick<
  StrategyEstimate,
  "failoverMs" | "outputWaitMs" | "storedBytes" | "storeBytesPerSec" | "networkBytesPerSec" | "storeRequestsPerSec" | "lostMs" | "survives"
>;

function storeUsd(parts: Parts, { store }: Workload, r: Reckoning): number {
  return (
    (r.of(parts.storedBytes) / GB) * r.use(`${store}.usdPerGbMonth`) +
    (r.of(parts.storeBytesPerSec) / MB) * r.use(`${store}.usdPerMbPerSecMonth`) +
    r.of(parts.storeRequestsPerSec) * MONTH_SEC * r.use(`${store}.usdPerWrite`)
  );
}

/** Copies in the memory of other nodes. */
function replica(workload: Workload, figures: Figures): Parts {
  const { stateBytes, deltaBytes, turnsPerSec, movesPerSec, durability, sessions, standbys, leaseTtlMs } = workload;
  const r = new Reckoning(figures);
  const strong = durability === "strong";
  const none = r.done(0);
  return {
    failoverMs: r.done((strong ? Math.min(SUSPECTED_MS, leaseTtlMs) : leaseTtlMs) + r.use("network.rttMs")),
    outputWaitMs: strong ? r.done(r.use("network.rttMs")) : none,
    storedBytes: none,
    storeBytesPerSec: none,
    storeRequestsPerSec: none,
    networkBytesPerSec: r.done(
      sessions * turnsPerSec * standbys * (deltaBytes + r.use("network.frameBytes")) +
        movesPerSec * stateBytes * (1 - Math.min(1, r.use("move.toCopyShare"))),
    ),
    lostMs: strong ? none : r.done(LIMITS.deltaGatherMs.default + r.use("network.rttMs") / 2),
    survives: "machine",
  };
}

/** Snapshots in a store, with a log of what came since (`hybrid`) or without. */
function stored(strategy: "snapshot" | "hybrid", workload: Workload, figures: Figures): Parts {
  const { stateBytes, turnsPerSec, movesPerSec, durability, sessions, store, leaseTtlMs } = workload;
  const r = new Reckoning(figures);
  const none = r.done(0);
  const remote = store !== "disk";
  const hybrid = strategy === "hybrid";
  const strong = hybrid && durability === "strong";
  const intervalMs = r.done(hybrid ? hybridIntervalMs(workload, r) : workload.snapshotIntervalMs);
  const snapshotsPerSec = r.done(Math.min(turnsPerSec, 1_000 / r.of(intervalMs)));
  // A larger session has fewer, and is not to seem cheaper for that.
  const oftenMs = hybrid ? hybridIntervalMs({ ...workload, baseLogPercent: 0 }, r) : workload.snapshotIntervalMs;
  const mostSnapshotsPerSec = r.done(Math.min(turnsPerSec, 1_000 / oftenMs));
  const logBytesPerSec = r.done(hybrid ? turnsPerSec * (workload.deltaBytes + r.use("network.frameBytes")) : 0);
  // The changes of an `eventual` session that come while an append is under way share the next one.
  const appendsPerSec = r.done(!hybrid ? 0 : strong ? turnsPerSec : Math.min(turnsPerSec, 1_000 / r.use(`${store}.appendMs`)));
  const storeBytesPerSec = r.done(sessions * (r.of(snapshotsPerSec) * stateBytes + r.of(logBytesPerSec)));
  const networkBytesPerSec = r.done(movesPerSec * stateBytes + (remote ? r.of(storeBytesPerSec) : 0));
  const restoreMs = r.done(
    r.use(`${store}.readMs`) + 1_000 * (stateBytes / r.use(`${store}.readBytesPerSec`) + stateBytes / r.use("session.restoreBytesPerSec")),
  );
  const replayMs = r.done(hybrid ? longestReplayMs(workload, r) / 2 : 0);
  // Nobody else can read a node's own disk.
  const readableMs = r.done(remote ? leaseTtlMs : Math.max(leaseTtlMs, r.use("failure.restartMs")));
  return {
    failoverMs: r.done(r.of(readableMs) + r.of(restoreMs) + r.of(replayMs)),
    outputWaitMs: strong ? r.done(r.use(`${store}.appendMs`)) : none,
    storedBytes: r.done(sessions * KEPT_SNAPSHOTS * (stateBytes + (r.of(logBytesPerSec) * r.of(intervalMs)) / 1_000)),
    storeBytesPerSec,
    storeRequestsPerSec: r.done(sessions * (r.of(mostSnapshotsPerSec) + r.of(appendsPerSec))),
    networkBytesPerSec,
    lostMs: strong
      ? none
      : hybrid
        ? r.done(r.use(`${store}.appendMs`))
        : r.done(
            r.of(intervalMs) / 2 +
              r.use(`${store}.appendMs`) +
              1_000 * (stateBytes / r.use("session.encodeBytesPerSec") + stateBytes / r.use(`${store}.writeBytesPerSec`)),
          ),
    survives: remote ? "machine" : "process",
  };
}

/** A base is due when replaying the log would cost the budget, or else at the interval, once the log has its share of the base. */
function hybridIntervalMs(workload: Workload, r: Reckoning): number {
  const { turnsPerSec, deltaBytes, stateBytes, baseIntervalMs, baseLogPercent, replayBudgetMs } = workload;
  const replayMsPerSec = (turnsPerSec * r.use("session.applyUs")) / 1_000;
  if (replayMsPerSec === 0) return baseIntervalMs;
  const worthMs = (1_000 * stateBytes * baseLogPercent) / 100 / (turnsPerSec * Math.max(1, deltaBytes + r.use("network.frameBytes")));
  return Math.min(Math.max(baseIntervalMs, worthMs), (1_000 * replayBudgetMs) / replayMsPerSec);
}

/** Of as many turns as a log has at the most, however small their changes are: so no larger change makes it seem faster. */
function longestReplayMs({ turnsPerSec, stateBytes, baseIntervalMs, baseLogPercent, replayBudgetMs }: Workload, r: Reckoning): number {
  if (turnsPerSec === 0) return 0;
  const worthTurns = (stateBytes * baseLogPercent) / 100 / Math.max(1, r.use("network.frameBytes"));
  const turns = Math.max((turnsPerSec * baseIntervalMs) / 1_000, worthTurns);
  return Math.min(replayBudgetMs, (turns * r.use("session.applyUs")) / 1_000);
}
