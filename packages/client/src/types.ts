import type { ActionsOf, EventsOf, InputOf, ReplyOf, SojournError } from "@sojourn/core";
import type { Status } from "./link.js";

/** The session has moved from one node to another. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** From the last turn at the old node to the first possible turn at the new one. */
  readonly blackoutMs: number;
}

/**
 * Why a link was started anew. With `E_TURNS_LOST` (a session with `durability: "eventual"` whose node was lost) also how much at most
 * this client had seen and sent that is undone; otherwise both are 0.
 */
export interface Reset {
  readonly reason: string;
  /** Messages of the session that this client has seen and that the session does not know any more. */
  readonly lostOutputs: number;
  /** Inputs of this client that the session had confirmed and that are undone. */
  readonly lostInputs: number;
}

/** What a client says about its connection. */
export interface LifecycleEventMap {
  handover: Handover;
  /** The link could not be continued: calls under way were rejected with `reason`, events may be missing. */
  reset: Reset;
  status: Status;
  /** Something was refused, or could not be read, and the client goes on. */
  problem: SojournError;
  /** The end; null when the user asked for it. */
  close: SojournError | null;
}

/** The actions of a definition as functions of a client. Without a definition's type every name is allowed. */
export type CallsOf<D> = unknown extends D
  ? { readonly [action: string]: (argument?: unknown) => Promise<unknown> }
  : { readonly [K in keyof ActionsOf<D>]: (argument: InputOf<D, K>) => Promise<ReplyOf<D, K>> };

/** The events of a definition with the types of their values. */
export type EventMapOf<D> = unknown extends D ? { [event: string]: unknown } : EventsOf<D>;
