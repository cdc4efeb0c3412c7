import type { Strategy } from "../strategy/strategy.js";
import type { Durability, Failover, Priority } from "./definition.js";
import type { LiveCopy } from "./live-copy.js";
import type { Link, TurnInput, TurnResult } from "./types.js";

/**
 * A session as the host sees it: one owner drives it by `run`, replicas keep it by `apply`. Nothing in here does I/O.
 * At most one turn is in hand at any time; the host waits for the result before it calls `run` again.
 */
export interface SessionCell {
  readonly key: string;
  readonly kind: string;
  /** Number of turns so far. */
  readonly version: number;
  /** The version of the definition that its state follows; raised by the first turn at a node with a newer definition. */
  readonly stateVersion: number;
  readonly ended: boolean;
  readonly durability: Durability;
  readonly links: ReadonlyMap<string, Link>;
  /** True while an asynchronous turn is in hand. */
  readonly busy: boolean;
  /** Work registered with `ctx.waitUntil` that has not settled. */
  readonly pendingWork: number;

  /**
   * Owner: handles one input. Never throws for what an application or a client did wrong: that is an answer to its caller.
   * @throws SojournError `E_STATE_VERSION` when the state cannot be brought to the definition's version; nothing has changed then
   */
  run(input: TurnInput, wantDelta: boolean): TurnResult | Promise<TurnResult>;
  /** Owner: rolls the turn in hand back whole; its promise resolves with `aborted`. What its handler still does is void. */
  abort(): void;
  /** Owner: resolves when the work registered with `ctx.waitUntil` has settled. */
  idle(): Promise<void>;
  /** Owner: the client confirmed everything up to `seq`. Not a turn; reaches replicas with the next delta. */
  acknowledge(link: string, generation: number, seq: number): void;
  /** Monotonic time at which the next timer is due (the onLeave of a link that was removed counts as one), or null. */
  nextTimerAtMs(): number | null;
  /** Name of a timer that is due, or null. */
  dueTimer(): string | null;

  /** The whole session at its present version; not while a turn is in hand. */
  snapshot(): Uint8Array;
  /**
   * Owner: begins a copy of a session whose typed arrays of `minBytes` and more are read piece by piece while turns go on; null when it
   * has none. Not while a turn is in hand.
   */
  copyLive(minBytes: number): LiveCopy | null;
  /**
   * Replica: applies the delta of version + 1.
   * @throws SojournError `E_CODEC_CORRUPT`, `E_CODEC_TABLE_UNKNOWN`, `E_DELTA_GAP`; the replica is unchanged then
   */
  apply(delta: Uint8Array): void;
  /** Whether lazy cache entries are kept here that a later owner may still pull. */
  readonly keepsLazy: boolean;
  /** Lazy cache entries kept for a later owner; the value or undefined. */
  cachedValue(key: string): unknown;
}

/** Makes sessions of one kind. */
export interface SessionFactory {
  readonly kind: string;
  /** The version of the definition. */
  readonly stateVersion: number;
  readonly priority: Priority;
  readonly durability: Durability;
  /** What new sessions of the kind begin with. */
  readonly strategy: Strategy;
  /** Copies in memory that are wished for; null: as the strategy has it. */
  readonly standbys: number | null;
  readonly failover: Failover;
  /** Whether a state of this version can be read here (the same, or upgrades lead to it). */
  canRead(stateVersion: number): boolean;
  /**
   * A new session at version 0. When it takes the place of one whose state is lost, at `anewEpoch`, clients that come back to this node
   * from before are told `E_SESSION_LOST` rather than that their link has expired.
   */
  create(key: string, anewEpoch?: number): SessionCell;
  /**
   * A session from a snapshot; its `version` is the snapshot's. `apart` are the arrays of a live copy, whose memory becomes the session's.
   * @throws SojournError `E_CODEC_CORRUPT`, `E_CODEC_TABLE_UNKNOWN`, `E_STATE_VERSION`
   */
  restore(key: string, snapshot: Uint8Array, apart?: readonly Uint8Array<ArrayBuffer>[]): SessionCell;
}
