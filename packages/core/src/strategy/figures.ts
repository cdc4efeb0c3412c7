import { SojournError } from "../errors/sojourn-error.js";
import type { Basis } from "./strategy.js";

/** One number that the cost model relies on. The unit is the last word of its name. */
export interface Figure {
  readonly value: number;
  readonly basis: Basis;
  readonly source: string;
}

const measured = (value: number, source: string): Figure => ({ value, basis: "measured", source });
const published = (value: number, source: string): Figure => ({ value, basis: "published", source });
const assumed = (value: number, source: string): Figure => ({ value, basis: "assumed", source });

const COSTS = "npm run bench -- costs, two shared cores, processor time";
const HANDOVER = "npm run bench -- handover on loopback: freeze to TAKEN, p50, on two cores that others used too";
const SAME_HAND_OVER = "as measured for `replica`: a planned move takes the same way; not measured under this strategy yet";
const AWS = "AWS list price, us-east-1, on demand";

/** Every number of the cost model. Each can be replaced by one's own. */
export const FIGURES = {
  // what a session costs here
  "session.encodeBytesPerSec": measured(85e6, COSTS),
  "session.restoreBytesPerSec": measured(180e6, COSTS),
  "session.applyUs": measured(7, COSTS),
  "session.heapPerByte": measured(4.2, `${COSTS}: heap of a restored state over its encoded bytes`),
  "session.heapBytes": assumed(4_096, "roles, feeds, links and timers of one copy besides its state"),
  // moves
  "move.replicaMs": measured(0.93, HANDOVER),
  "move.hybridMs": assumed(0.93, SAME_HAND_OVER),
  "move.snapshotMs": assumed(0.93, SAME_HAND_OVER),
  "move.toCopyShare": assumed(0.5, "share of the moves of a `replica` session that go to a node which holds a copy already"),
  // between nodes
  "network.rttMs": assumed(1, "two nodes of one region"),
  "network.bytesPerSec": assumed(100e6, "what one session's copy gets of a link of 1 Gbit/s"),
  "network.frameBytes": assumed(60, "what a delta carries besides itself"),
  "network.usdPerGb": assumed(0, "inside one zone; between zones 0.02 and to the internet 0.09 are usual"),
  // what goes wrong
  "failure.nodeLossesPerMonth": assumed(0.5, "times a month that a node ends without a drain"),
  "failure.machineLossesPerMonth": assumed(0.02, "times a month that a node's disk is gone with it"),
  "failure.restartMs": assumed(30_000, "until a node's process runs again on its machine"),
  // stores
  "disk.appendMs": measured(2.4, `npm run bench -- costs: one durable append of LMDB at a time, on a disk that others used too`),
  "disk.readMs": measured(0.1, `npm run bench -- costs: LMDB, from the page cache`),
  "disk.writeBytesPerSec": measured(80e6, "npm run bench -- costs: durable values of 1 MB, LMDB"),
  "disk.readBytesPerSec": measured(90e6, "npm run bench -- costs: values of 1 MB, LMDB, from the page cache"),
  "disk.usdPerGbMonth": published(0.08, `${AWS}: EBS gp3`),
  "disk.usdPerMbPerSecMonth": published(0.04, `${AWS}: EBS gp3, throughput beyond what is included`),
  "disk.usdPerWrite": published(0, `${AWS}: EBS gp3 charges for throughput`),
  "s3.appendMs": published(100, "Amazon S3 performance guidelines: small objects take roughly 100 to 200 ms"),
  "s3.readMs": published(100, "Amazon S3 performance guidelines: small objects take roughly 100 to 200 ms"),
  "s3.writeBytesPerSec": published(85e6, "Amazon S3 performance guidelines: 85 to 90 MB/s a request"),
  "s3.readBytesPerSec": published(85e6, "Amazon S3 performance guidelines: 85 to 90 MB/s a request"),
  "s3.usdPerGbMonth": published(0.023, `${AWS}: S3 Standard`),
  "s3.usdPerMbPerSecMonth": published(0, `${AWS}: traffic to S3 in the same region is free`),
  "s3.usdPerWrite": published(0.000005, `${AWS}: S3 Standard, PUT`),
  "redis.appendMs": assumed(1, "one round trip, not durable beyond the memory of its replicas"),
  "redis.readMs": assumed(1, "one round trip"),
  "redis.writeBytesPerSec": assumed(100e6, "one connection"),
  "redis.readBytesPerSec": assumed(100e6, "one connection"),
  "redis.usdPerGbMonth": published(11.5, `${AWS}: ElastiCache cache.r6g.large, 13.07 GiB`),
  "redis.usdPerMbPerSecMonth": assumed(0, "inside one zone"),
  "redis.usdPerWrite": published(0, `${AWS}: ElastiCache nodes charge by the hour`),
  // prices
  "ram.usdPerGbMonth": published(4.6, `${AWS}: r6g.large, 16 GiB`),
  // what it is worth not to be hurt; the scale on which money, waiting and loss are compared
  "harm.usdPerSecondDown": assumed(0.0001, "a session that is down for a second"),
  "harm.usdPerTurnLost": assumed(0.00001, "a turn that clients had seen is undone"),
  "harm.usdPerSecondWaited": assumed(1e-8, "outputs of turns that wait, one second of them together"),
  "harm.usdPerSessionLost": assumed(0.05, "a session starts anew"),
  "checklist.usdPerVote": assumed(0.001, "what one line of the checklist weighs, per session and month"),
  "checklist.tightMemoryShare": assumed(0.7, "share of the memory from which on it counts as tight"),
} as const satisfies Record<string, Figure>;

/** Name of a number of the cost model. */
export type FigureName = keyof typeof FIGURES;

/** Every number with its basis. */
export type Figures = Readonly<Record<FigureName, Figure>>;

/**
 * The numbers with some replaced. What is replaced counts as given.
 * @throws SojournError `E_CONFIG_INVALID` for an unknown name or a value that is not a number from 0 up
 */
export function resolveFigures(own: Readonly<Record<string, unknown>> = {}): Figures {
  const figures: Record<string, Figure> = { ...FIGURES };
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(FIGURES, name)) throw new SojournError("E_CONFIG_INVALID", `there is no figure "${name}"`, { name });
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
      throw new SojournError("E_CONFIG_INVALID", `the figure "${name}" must be a number from 0 up`, { name });
    }
    if (value === 0 && /(?:BytesPerSec|bytesPerSec)$/.test(name)) {
      throw new SojournError("E_CONFIG_INVALID", `the figure "${name}" must be more than 0`, { name });
    }
    figures[name] = { value, basis: "given", source: "given" };
  }
  return figures as Figures;
}
