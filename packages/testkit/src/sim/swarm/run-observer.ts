import type { NodeRef, SessionKey } from "@sojourn/core";
import type { SimNode } from "../sim-cluster.js";
import type { Moment } from "./plan.js";

/** A node that is to die when a hand-over reaches a moment. */
export interface Trap {
  readonly moment: Moment;
  /** 0 the source, 1 the target, 2 both. */
  readonly who: number;
  readonly backAfterMs: number;
}

/** What a run tells whoever watches it. */
export interface RunObserver {
  /** A node was started. */
  watch(node: SimNode): void;
  /** Whether the directory has ended this lease. */
  isEnded(ref: NodeRef): boolean;
  setTrap(trap: Trap): void;
  dropTraps(): void;
  /** A handler runs. */
  turn(session: SessionKey, what: string): void;
  crashing(node: SimNode): void;
  pausing(node: SimNode): void;
  waking(node: SimNode): void;
  batchEnded(moved: readonly boolean[]): void;
  moveFailed(code: string, message: string): void;
}
