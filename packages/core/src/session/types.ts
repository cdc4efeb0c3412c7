import type { ErrorCode } from "../errors/catalogue.js";
import type { SojournError } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import type { NodeRef } from "../names.js";
import type { Clock } from "../ports/clock.js";
import type { StateCodec } from "../ports/codec.js";
import type { Random } from "../ports/random.js";
import type { ChangeTimer } from "../ports/session-meter.js";
import type { TurnScope } from "../ports/turn-scope.js";

/** What a session needs from its surroundings. */
export interface SessionEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: TurnScope;
  readonly codec: StateCodec;
  readonly limits: Limits;
  /** This node in its present life: where the lazy cache entries that a session leaves behind can be pulled from. */
  readonly self: NodeRef;
  /** Pulls a lazy cache entry from the node that kept it; resolves with undefined when it is gone. */
  readonly pullCache: (from: NodeRef, session: string, key: string) => Promise<unknown>;
  /** Told what a hook, timer or piece of `waitUntil` work threw; nobody else hears of it. Must not throw. */
  readonly onHandlerError?: (session: string, where: string, error: unknown) => void;
  /** Told how long some changes took. */
  readonly changes?: ChangeTimer | undefined;
}

/** One input of a session. Each is handled by exactly one turn, or by none when it is a duplicate or comes too early. */
export type TurnInput =
  | AttachInput
  | MessageInput
  | { readonly kind: "detach"; readonly link: string; readonly generation: number }
  | { readonly kind: "leave"; readonly link: string; readonly generation: number }
  /** Ends a link whose grace time is over, or that overflowed. Ignored when the link is attached again. */
  | { readonly kind: "expire"; readonly link: string }
  /** Sent when `dueTimer()` names one. */
  | { readonly kind: "timer"; readonly name: string }
  | { readonly kind: "wake"; readonly reason: "created" | "restored" | "promoted"; readonly stalenessMs: number }
  /** The session goes on from a copy that may lack turns which clients have seen; comes before anything else at the new owner. */
  | { readonly kind: "branch"; readonly epoch: number }
  | { readonly kind: "beforeMove"; readonly to: string }
  | { readonly kind: "afterMove"; readonly from: string; readonly blackoutMs: number };

/** A client's socket has (re)attached to its link. */
export interface AttachInput {
  readonly kind: "attach";
  readonly link: string;
  readonly token: string;
  readonly nextToken: string;
  /** The node on which the client's socket landed. */
  readonly ingress: NodeRef;
  /** 0 when the client has never been welcomed. */
  readonly epoch: number;
  readonly lastOut: number;
  readonly sent: number;
  /** Highest own number that the session is known to have handled. */
  readonly acked: number;
  /** The epoch that `lastOut` and `acked` belong to. */
  readonly offsetEpoch: number;
  /** The generation of the client's latest welcome; 0 when it has never been welcomed. */
  readonly generation: number;
  /** Plain data that the node's authenticate function returned. */
  readonly user: unknown;
}

/** A call of an action. */
export interface MessageInput {
  readonly kind: "message";
  readonly link: string;
  readonly generation: number;
  readonly seq: number;
  readonly ack: number;
  readonly action: string;
  readonly payload: Uint8Array;
}

/**
 * How an attach ended. A refused attach makes no turn, except that a link which joins and is removed by its own onJoin is a
 * turn with a refusal.
 */
export type AttachVerdict =
  | {
      readonly ok: true;
      readonly generation: number;
      readonly recovered: boolean;
      /** Error code when an existing link could not be continued and was started anew. */
      readonly reason: string | null;
      readonly lastIn: number;
      readonly nextOut: number;
      /** With the reason `E_TURNS_LOST`: messages that the client has seen of lost turns, and inputs that were confirmed and are undone. */
      readonly lostOutputs: number;
      readonly lostInputs: number;
    }
  | { readonly ok: false; readonly error: SojournError };

/**
 * What became of an input. `committed`: one turn, the version went up by one. `duplicate`: handled before (its acknowledgement
 * may have been lost: acknowledge again). `early`: a number is missing before it. `ignored`: void (old generation, unknown link or
 * timer). `aborted`: rolled back by `abort()`; it must be handled elsewhere.
 */
export interface TurnResult {
  readonly outcome: "committed" | "duplicate" | "early" | "ignored" | "aborted";
  readonly version: number;
  /** What the turn changed, for replicas; null unless asked for and committed. */
  readonly delta: Uint8Array | null;
  /** Links with something new to send or acknowledge. */
  readonly touched: readonly Link[];
  readonly attach: AttachVerdict | null;
  /** Links that ended in this turn and whose clients must be told. */
  readonly closed: readonly ClosedLink[];
  /** True when the handler ended the session in this turn. */
  readonly ended: boolean;
}

/** A link that the session ended of its own accord. */
export interface ClosedLink {
  readonly link: string;
  readonly generation: number;
  /** Where its client's socket was; null when it was away. */
  readonly ingress: NodeRef | null;
  readonly code: ErrorCode;
  readonly message: string;
  /** Messages that the client has not confirmed; they may still be sent before the closing frame. */
  readonly outbox: readonly OutboxEntry[];
}

/** One message in a link's outbox. */
export interface OutboxEntry {
  readonly seq: number;
  /** The turn that produced it; it may leave the owner only once that turn may be released. */
  readonly version: number;
  readonly kind: "event" | "reply" | "failure";
  readonly answers: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** A client's link as part of the session's replicated state. Read-only for everybody but the session. */
export interface Link {
  readonly id: string;
  readonly generation: number;
  /** Where the client's socket is; null while it is away. */
  readonly ingress: NodeRef | null;
  /** Highest input that was handled. */
  readonly lastIn: number;
  /** The turn that moved `lastIn` to where it is. */
  readonly lastInVersion: number;
  /** Number of the next message to the client. */
  readonly nextOut: number;
  /** Highest message that the client confirmed. */
  readonly ackedOut: number;
  /** Unconfirmed messages in order of `seq`, without gaps, ending at `nextOut - 1`. */
  readonly outbox: readonly OutboxEntry[];
  /** Monotonic ms (of this node) since when no socket is attached; null while attached. */
  readonly awaySinceMs: number | null;
  /** How often somebody with a wrong token tried to attach; counted on this node only. */
  readonly refusedAttaches: number;
}
