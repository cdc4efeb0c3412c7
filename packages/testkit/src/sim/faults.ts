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
