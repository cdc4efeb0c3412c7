import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SojournError } from "../errors/sojourn-error.js";
import type { LeaveReason, SessionLink } from "./context.js";
import type { Handler, RunnableAction } from "./definition.js";
import type { LinkState } from "./link-state.js";
import { OP } from "./ops.js";
import { isThenable } from "./thenable.js";
import type { Program, Turn } from "./turn.js";
import { TurnContext } from "./turn-context.js";
import type { MessageInput } from "./types.js";
import { startValidation, validatedValue } from "./validate-input.js";

/** A client calls an action. Whatever happens, its number counts as handled and it gets one answer. */
export function* callAction(turn: Turn, link: LinkState, input: MessageInput, action: RunnableAction): Program {
  turn.open();
  try {
    let argument: unknown;
    if (action.schema !== null) {
      const result = startValidation(action.schema, input.payload);
      argument = validatedValue((isThenable(result) ? yield result : result) as StandardSchemaV1.Result<unknown>);
    }
    const returned = action.handler(new TurnContext(turn), argument);
    const payload = turn.encode(isThenable(returned) ? yield returned : returned);
    turn.seal();
    turn.reply(link, input.seq, payload);
  } catch (thrown) {
    turn.rollback();
    turn.fail(link, input.seq, thrown);
  }
}

/** What the joining link takes the place of: a link that is still there, or one whose onLeave is still to come. */
export interface Former {
  readonly view: SessionLink;
  readonly reason: LeaveReason;
  readonly present: LinkState | null;
}

/** A link joins, perhaps in place of a former one of the same id. A hook that throws refuses it, and nothing has happened. */
export function* joinLink(turn: Turn, joining: LinkState, former: Former | null): Program {
  const { onJoin, onLeave } = turn.body.definition.hooks;
  turn.open();
  try {
    const context = new TurnContext(turn);
    if (former !== null) {
      if (former.present === null) turn.ops.push(OP.departed, former.view.id);
      else {
        const code = former.reason === "E_TURNS_LOST" ? former.reason : "E_SEQUENCE_INVALID";
        turn.remove(former.present, null, code, "the link was started anew", false);
      }
      turn.about = former.view;
      const left = onLeave?.(context, former.view, former.reason);
      if (isThenable(left)) yield left;
    }
    turn.about = joining.view;
    turn.joining = joining;
    const { reason = null, lostOutputs = 0, lostInputs = 0 } = turn.welcome ?? {};
    const { id, user, ingress, token, previousToken } = joining;
    turn.ops.push(OP.join, id, user, ingress, token, previousToken, reason, lostOutputs, lostInputs);
    const joined = onJoin?.(context, joining.view);
    if (isThenable(joined)) yield joined;
    turn.seal();
    if (joining.leaving) turn.refusal = new SojournError("E_LINK_KICKED", turn.removals.at(-1)?.message);
  } catch (thrown) {
    turn.rollback();
    turn.counts = false;
    turn.refusal =
      thrown instanceof SojournError
        ? thrown
        : new SojournError("E_HANDLER_FAILED", thrown instanceof Error ? thrown.message : String(thrown), {}, thrown);
  }
}

/**
 * Runs one hook or timer handler. When it throws, what it did is rolled back and reported; what the turn did before stays,
 * and the turn counts only if `anyway`.
 */
export function* runHandler(turn: Turn, where: string, handler: Handler, anyway: boolean, argument?: unknown, extra?: unknown): Program {
  turn.open();
  try {
    const returned = handler(new TurnContext(turn), argument, extra);
    if (isThenable(returned)) yield returned;
    turn.seal();
  } catch (thrown) {
    turn.rollback();
    turn.counts = anyway;
    const { env, key } = turn.body;
    env.onHandlerError?.(key, where, thrown);
  }
}

/** A new session: its onCreate, then its onWake, as one turn. */
export function* createSession(turn: Turn, onCreate: Handler, onWake: Handler | undefined): Program {
  yield* runHandler(
    turn,
    "onCreate",
    (ctx) => {
      const created = onCreate(ctx, undefined);
      if (onWake === undefined) return created;
      return isThenable(created) ? created.then(() => onWake(ctx, WAKE_CREATED)) : onWake(ctx, WAKE_CREATED);
    },
    false,
  );
}

const WAKE_CREATED = { reason: "created", stalenessMs: 0 } as const;
