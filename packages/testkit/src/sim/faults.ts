/** What may go wrong with a message under way; probabilities from 0 to 1, times in ms. */
export interface FaultPlan {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplication: number;
  /** A message may overtake those before it on its lane. */
  readonly reordering: number;
  /** One bit of the message is flipped. */
  readonly corruption: number;
  /** An old message to the same process arrives once more, long after, perhaps in a later life of it. */
  readonly replay?: number;
  /** Now and then a message takes this much longer. */
  readonly spikeMs?: number;
}

/** A network that does what it should. */
export const CALM: FaultPlan = { latencyMs: 1, jitterMs: 0, loss: 0, duplication: 0, reordering: 0, corruption: 0 };

/** Looks at one message and may decide what happens to it, before chance does. */
export type Interceptor = (message: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }) => Verdict | undefined;

/** `copies` 0 loses the message; `extraMs` delays it; `bytes` arrives instead of it. */
export interface Verdict {
  readonly bytes?: Uint8Array;
  readonly copies: number;
  readonly extraMs: number;
}

/** Sees the traffic between nodes and changes nothing. `bytes` is only valid during the call. */
export interface NetworkObserver {
  /** A message was handed over; `fate` is what became of it at once. */
  sent(from: string, to: string, bytes: Uint8Array, fate: "delivered" | "lost" | "cut"): void;
  /** A message arrives at the process that is `to` now; `replayed` when it is an old one. */
  delivered(from: string, to: string, bytes: Uint8Array, replayed: boolean): void;
  /** A connection was given up because nothing came over it, or was reset. */
  disconnected(a: string, b: string, silent: boolean): void;
  fault(kind: "loss" | "duplication" | "reordering" | "corruption" | "replay" | "delay"): void;
}
