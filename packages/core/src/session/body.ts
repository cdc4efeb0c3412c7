import type { WriteWatcher } from "../state/large-arrays.js";
import type { TrackedState } from "../state/tracked-state.js";
import { CacheTable } from "./cache-table.js";
import type { Durability, SessionDefinition } from "./definition.js";
import { LinkTable } from "./link-table.js";
import { TimerTable } from "./timer-table.js";
import type { SessionEnv } from "./types.js";
import { WaitedWork } from "./waited-work.js";

/** What the parts of a session share: its replicated data, and whose turn it is. */
export interface SessionBody {
  readonly key: string;
  readonly definition: SessionDefinition;
  readonly env: SessionEnv;
  readonly links: LinkTable;
  readonly timers: TimerTable;
  readonly cache: CacheTable;
  readonly work: WaitedWork;
  version: number;
  /** The version of the definition that `raw` follows. */
  stateVersion: number;
  ended: boolean;
  raw: object;
  /** Tracks `raw` while this node runs turns; null on replicas. */
  tracked: TrackedState<object> | null;
  /** Who is copying `raw` while turns change it. */
  readonly watchers: Set<WriteWatcher>;
  /** `raw` was brought to a newer version and replicas do not have it yet. */
  restated: boolean;
  /** As the definition said when the session was created. */
  durability: Durability;
  /** The epoch at which the session last went on from a copy that may lack turns; 0 when it never did. */
  branchEpoch: number;
  /** The epoch at which it was started anew, as its life before was lost; 0 when it was not. Known only where that was done. */
  readonly anewEpoch: number;
  /** The turn in hand. */
  turn: object | null;
}

/** A session's data before its first turn. */
export function createBody(key: string, definition: SessionDefinition, env: SessionEnv, raw: object, anewEpoch = 0): SessionBody {
  return {
    key,
    definition,
    env,
    links: new LinkTable(),
    timers: new TimerTable(),
    cache: new CacheTable(),
    work: new WaitedWork(key, env),
    version: 0,
    stateVersion: definition.version,
    ended: false,
    raw,
    tracked: null,
    watchers: new Set(),
    restated: false,
    durability: definition.durability,
    branchEpoch: 0,
    anewEpoch,
    turn: null,
  };
}
