import type { NodeRef, SessionKey } from "@sojourn/core";
import type { SimNode } from "../sim-cluster.js";
import type { DiskFault } from "../virtual-store.js";
import type { Moment, PlannedEvent } from "./plan.js";

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
  /** One of the next GRANTs is to meet an answer to an earlier one. */
  wantOldAnswer(): void;
  dropTraps(): void;
  /** A handler runs. */
  turn(session: SessionKey, what: string): void;
  /** A handler has waited for something outside; `began`: who owned the session when it began to. */
  waited(session: SessionKey, began: NodeRef | null): void;
  crashing(node: SimNode): void;
  waking(node: SimNode): void;
  batchEnded(moved: readonly boolean[]): void;
  moveFailed(code: string, message: string): void;
  /** The directory's disk did something wrong. */
  diskFault(fault: DiskFault): void;
  /** A planned fault took place. */
  happened(what: PlannedEvent["do"], node: SimNode): void;
}
