import type { DurationSummary } from "@sojourn/testkit/books";

/** What a process of clients is started with. */
export interface CrowdConfig {
  /** Part of each session's name, so that two runs on one directory do not meet. */
  readonly run: string;
  /** Each client begins at the endpoint of the node that is nearest to it. */
  readonly clients: readonly { readonly user: number; readonly lat: number; readonly lon: number; readonly endpoint: string }[];
  /** All endpoints, for when the first one does not answer. */
  readonly endpoints: readonly string[];
  readonly messageEveryMs: number;
}

/** Parent → process of clients. */
export type ToCrowd =
  | { readonly type: "start"; readonly config: CrowdConfig }
  /** Where users are now: user, latitude, longitude, user, … */
  | { readonly type: "positions"; readonly flat: readonly number[] }
  /** Begin to send. */
  | { readonly type: "go" }
  /** Send no more, wait for what is under way, audit, tell, and end. */
  | { readonly type: "finish" };

/** What clients count; each number is a sum over all of a process. */
export interface Counts {
  readonly connected: number;
  /** Numbered reports sent, and numbered events that the sessions sent back. */
  readonly messages: number;
  readonly replies: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Calls that ended in an error, by its code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Moves that the clients were told of. */
  readonly handovers: number;
  readonly reconnects: number;
}

/** Process of clients → parent. */
export type FromCrowd =
  | { readonly type: "connected"; readonly failures: readonly string[] }
  | { readonly type: "counts"; readonly counts: Counts; readonly replyMs: DurationSummary }
  | { readonly type: "incident"; readonly user: number; readonly what: string }
  /** The last one: after the audits. */
  | {
      readonly type: "done";
      readonly counts: Counts;
      readonly replyMs: DurationSummary;
      readonly faults: readonly string[];
      readonly audited: number;
    };
