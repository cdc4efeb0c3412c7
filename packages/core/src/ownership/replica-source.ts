import type { SessionKey } from "../names.js";
import type { Position } from "../ports/session-store.js";
import type { DeltaLog } from "./delta-log.js";
import type { SlotHost } from "./slot-host.js";

/** Where an owner stands on its chain of turns, with what of the way there is at hand. */
export interface Chain {
  readonly log: DeltaLog;
  readonly version: number;
  readonly hash: number;
}

/** The owner's side, as whoever keeps a replica up to date sees it. */
export interface ReplicaSource extends Chain {
  readonly key: SessionKey;
  readonly host: SlotHost;
  readonly epoch: number;
  readonly stateVersion: number;
  /** The encoded session at `version`; only called when no turn is in hand. */
  snapshot(): Uint8Array;
  /** True while a turn is in hand. */
  readonly busy: boolean;
}

/** Whether a copy at this position certainly lies on the chain. */
export function isOnChain({ log, version, hash }: Chain, at: Pick<Position, "version" | "hash">): boolean {
  return at.version === version ? at.hash === hash : log.since(at.version)?.hash === at.hash;
}

/** How many of the deltas, from the first on, have room together. */
export function countFitting(deltas: readonly Uint8Array[], roomBytes: number): number {
  let room = roomBytes;
  let count = 0;
  for (const delta of deltas) {
    room -= delta.length;
    if (room < 0) break;
    count++;
  }
  return count;
}
