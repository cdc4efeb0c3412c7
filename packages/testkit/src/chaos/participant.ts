import type { ClientLimits } from "@sojourn/client";
import type { SessionKey } from "@sojourn/core";
import type { CompanionCounts } from "../books/companion.js";

/** One client of a chaos run with the books that it keeps. `Companion` keeps them for definitions that number what they say. */
export interface Participant {
  readonly session: SessionKey;
  /** Messages without an answer. */
  readonly open: number;
  /** Sends one message. Must not wait for its answer. */
  say(): void;
  counts(): CompanionCounts;
  /** Waits for every answer and compares the session's books with its own; returns what does not agree. */
  audit(): Promise<readonly string[]>;
  /** Takes what has no answer as lost, for when an audit is not possible. */
  unaudited(): CompanionCounts;
  close(): void;
}

/** What a participant is given to join by. */
export interface JoinOptions {
  /** Number of the participant, from 0. */
  readonly number: number;
  readonly endpoints: readonly string[];
  readonly limits: Partial<ClientLimits>;
  /** To be told of each answer. */
  readonly answered: () => void;
  /** To be told of whatever should not happen: a call that failed, a link that was started anew, a client that ended. */
  readonly trouble: (what: string) => void;
}

/** What the clients of a run do, and on which sessions. */
export interface Workload {
  /** Path of a module; every session definition that it exports is served by every node. */
  readonly module: string;
  join(options: JoinOptions): Promise<Participant>;
}
