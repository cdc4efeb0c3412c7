import type { ErrorCode } from "../errors/catalogue.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { SessionBody } from "./body.js";
import type { LeaveReason, SessionLink } from "./context.js";
import { type Beginning, type LinkState, messageBytes } from "./link-state.js";
import { OP } from "./ops.js";
import { encodeOutgoing, failureOf } from "./outgoing.js";
import type { TurnResult } from "./types.js";

/** A link that the turn in hand removes. `told` says whether the host must tell its client. */
interface Removal {
  readonly link: LinkState;
  readonly code: ErrorCode;
  readonly message: string;
  readonly told: boolean;
}

/** The link that attaches, and how it is answered. */
interface Welcome extends Beginning {
  readonly link: LinkState;
}

/** What runs a turn's handlers; yields a promise wherever it has to wait. */
export type Program = Generator<PromiseLike<unknown>, void, unknown>;

/**
 * One turn from its input to its commit. Links are not touched before the commit: what happens to them is collected as
 * operations. State, timers and cache change at once and are rolled back when the handler throws.
 */
export class Turn {
  readonly body: SessionBody;
  readonly wantDelta: boolean;
  /** The turn's version, then its operations. */
  readonly ops: unknown[];
  /** The link the turn is about. */
  about: SessionLink | null;
  /** The link that joins in this turn. */
  joining: LinkState | null = null;
  readonly removals: Removal[] = [];
  ending = false;
  /** False when the turn turned out to change nothing. */
  counts = true;
  /** The link whose attach this turn is, with the reason why it starts anew. */
  welcome: Welcome | null = null;
  /** Why an attach was refused after all. */
  refusal: SojournError | null = null;
  /** True once its handler has returned a promise: from then on other code can run in between. */
  async = false;
  /** Whether code that belongs to the turn can be told from other code. */
  scoped = true;
  program: Program | null = null;
  resolve: ((result: TurnResult) => void) | null = null;
  /** Outbound messages and bytes so far, as if all were for one link. */
  stagedMessages = 0;
  stagedBytes = 0;
  #open = false;
  #opsMark = 0;
  #removalsMark = 0;
  #timersMark = 0;
  #cacheMark = 0;

  constructor(body: SessionBody, about: SessionLink | null, wantDelta: boolean) {
    this.body = body;
    this.about = about;
    this.wantDelta = wantDelta;
    this.ops = [body.version + 1];
  }

  /** @throws SojournError `E_TURN_ENDED` unless the running code belongs to this turn and the turn is in hand */
  use(): void {
    const { body } = this;
    if (body.turn !== this || (this.async && this.scoped && body.env.scope.current() !== this)) throw turnEnded(body);
  }

  /** From here on, up to `seal`, changes can be rolled back. */
  open(): void {
    this.#open = true;
    this.#opsMark = this.ops.length;
    this.#removalsMark = this.removals.length;
    this.#timersMark = this.body.timers.savepoint();
    this.#cacheMark = this.body.cache.savepoint();
    this.body.tracked?.begin();
  }

  /** Keeps what was changed since `open`. */
  seal(): void {
    const { body } = this;
    if (!this.wantDelta || body.restated) body.tracked?.discard();
    else {
      const patch = body.tracked?.commit() ?? null;
      if (patch !== null) this.ops.push(OP.state, patch);
    }
    this.#open = false;
  }

  /** Takes back what was changed since `open`. */
  rollback(): void {
    if (!this.#open) return;
    this.#open = false;
    this.body.tracked?.rollback();
    this.body.timers.rollback(this.#timersMark);
    this.body.cache.rollback(this.#cacheMark);
    this.ops.length = this.#opsMark;
    for (const { link } of this.removals.splice(this.#removalsMark)) link.leaving = false;
    this.ending = false;
    this.stagedMessages = 0;
    this.stagedBytes = 0;
  }

  /** Takes back the whole turn, also what was done before `open`. */
  drop(): void {
    this.rollback();
    this.body.timers.rollback(0);
    this.body.cache.rollback(0);
    for (const { link } of this.removals) link.leaving = false;
  }

  /** A present link: joining ones are, those the turn removes are not. */
  find(id: string): LinkState | undefined {
    if (this.joining !== null && this.joining.id === id) return this.joining.leaving ? undefined : this.joining;
    const link = this.body.links.byId.get(id);
    return link === undefined || link.leaving ? undefined : link;
  }

  /** Counts an outbound message. */
  staged(name: string, payload: Uint8Array): void {
    this.stagedMessages++;
    this.stagedBytes += messageBytes(name, payload);
  }

  /** The answer to the input in hand. */
  reply(link: LinkState, seq: number, payload: Uint8Array): void {
    if (link.leaving) return;
    this.ops.push(OP.reply, link.ordinal, seq, payload);
    this.staged("", payload);
  }

  /** The answer to an input that failed. */
  fail(link: LinkState, seq: number, thrown: unknown): void {
    const { code, payload } = failureOf(thrown);
    this.ops.push(OP.failure, link.ordinal, seq, code, payload);
    this.staged(code, payload);
  }

  /** Removes a link; its onLeave gets `reason` in a turn of its own unless that is null. */
  remove(link: LinkState, reason: LeaveReason | null, code: ErrorCode, message: string, told: boolean): void {
    link.leaving = true;
    const hook = reason !== null && this.body.definition.hooks.onLeave !== undefined;
    this.ops.push(OP.remove, link.ordinal, hook ? reason : null);
    this.removals.push({ link, code, message, told });
  }

  /** Encodes what goes to clients. @throws SojournError for what cannot travel or is too large */
  encode(value: unknown): Uint8Array {
    return encodeOutgoing(value, this.body.env.limits);
  }
}

/** The error for whoever holds on to a turn that is over. */
export function turnEnded(body: SessionBody): SojournError {
  return new SojournError(
    "E_TURN_ENDED",
    `the context or state of ${body.key} was used outside its turn; copy what you need before the turn ends`,
  );
}
