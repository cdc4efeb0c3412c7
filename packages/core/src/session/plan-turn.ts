import { SojournError } from "../errors/sojourn-error.js";
import { copyPlain } from "../state/plain.js";
import type { SessionBody } from "./body.js";
import { noTurn } from "./commit-turn.js";
import type { LeaveReason } from "./context.js";
import type { WakeInfo } from "./definition.js";
import { namedGeneration } from "./generations.js";
import { judgeAttach } from "./judge-attach.js";
import { LinkState } from "./link-state.js";
import type { Departure } from "./link-table.js";
import { OP } from "./ops.js";
import { callAction, createSession, type Former, joinLink, runHandler } from "./programs.js";
import { Turn } from "./turn.js";
import type { AttachInput, MessageInput, TurnInput, TurnResult } from "./types.js";

/** The turn that an input makes, or the result when it makes none. */
export function planTurn(body: SessionBody, input: TurnInput, wantDelta: boolean): Turn | TurnResult {
  switch (input.kind) {
    case "message":
      return planMessage(body, input, wantDelta);
    case "attach":
      return planAttach(body, input, wantDelta);
    case "detach":
      return planDetach(body, input, wantDelta);
    case "leave": {
      const link = body.links.byId.get(input.link);
      if (link === undefined || link.generation !== input.generation) return noTurn(body, "ignored");
      return planRemoval(body, link, "left", wantDelta);
    }
    case "expire": {
      const link = body.links.byId.get(input.link);
      if (link === undefined || link.awaySinceMs === null) return noTurn(body, "ignored");
      return planRemoval(body, link, "E_LINK_EXPIRED", wantDelta);
    }
    case "timer":
      return planTimer(body, input.name, wantDelta);
    case "wake":
      return planWake(body, input.reason, input.stalenessMs, wantDelta);
    case "branch":
      return planBranch(body, input.epoch, wantDelta);
    case "beforeMove":
      return planHook(body, "onBeforeMove", { to: input.to }, wantDelta);
    case "afterMove":
      return planHook(body, "onAfterMove", { from: input.from, blackoutMs: input.blackoutMs }, wantDelta);
  }
}

function planMessage(body: SessionBody, input: MessageInput, wantDelta: boolean): Turn | TurnResult {
  const link = body.links.byId.get(input.link);
  // A message of an earlier attach is as good as any: order and duplicates go by its number. Only another numbering is void.
  if (link === undefined || input.generation < link.firstGeneration || input.generation > link.generation) return noTurn(body, "ignored");
  const confirmed = body.links.confirm(link, input.generation, input.ack);
  if (input.seq <= link.lastIn) return noTurn(body, "duplicate", [link]);
  if (input.seq !== link.lastIn + 1) return noTurn(body, "early");
  const turn = new Turn(body, link.view, wantDelta);
  if (!confirmed) {
    turn.fail(link, input.seq, new SojournError("E_SEQUENCE_INVALID", `message ${input.ack} was confirmed but never sent`));
    return turn;
  }
  const action = body.definition.actions.get(input.action);
  if (action === undefined) {
    turn.fail(
      link,
      input.seq,
      new SojournError("E_ACTION_UNKNOWN", `${body.definition.name} has no action "${input.action.slice(0, 80)}"`),
    );
    return turn;
  }
  turn.program = callAction(turn, link, input, action);
  return turn;
}

function planAttach(body: SessionBody, input: AttachInput, wantDelta: boolean): Turn | TurnResult {
  const link = body.links.byId.get(input.link);
  if (link === undefined) return planJoin(body, input, formerDeparture(body, input.link), wantDelta);
  const judgement = judgeAttach(link, input, body.branchEpoch);
  if (judgement.kind === "refuse") {
    link.refusedAttaches++;
    // Its latest token may have been lost with the turn that took it.
    const lost = link.branchOut !== null && input.offsetEpoch > 0 && input.offsetEpoch < body.branchEpoch;
    return refused(body, new SojournError(lost ? "E_TURNS_LOST" : "E_LINK_TOKEN"));
  }
  if (judgement.kind === "ended") return planJoin(body, input, { view: link.view, reason: "E_LINK_EXPIRED", present: link }, wantDelta);
  if (judgement.kind === "reset") return planJoin(body, input, { view: link.view, reason: "E_SEQUENCE_INVALID", present: link }, wantDelta);
  if (judgement.kind === "lost")
    return planJoin(body, input, { view: link.view, reason: "E_TURNS_LOST", present: link }, wantDelta, judgement);
  const again = judgement.kind === "again";
  if (!again && link.trim(input.lastOut)) body.links.mark(link);
  const turn = new Turn(body, link.view, wantDelta);
  turn.ops.push(OP.attach, link.ordinal, input.ingress, input.nextToken, input.token);
  turn.welcome = again ? { link, ...judgement.begun } : { link, reason: null, lostOutputs: 0, lostInputs: 0 };
  return turn;
}

/** How much a client had seen and sent of turns that are lost. */
interface Lost {
  readonly outputs: number;
  readonly inputs: number;
}

function planJoin(body: SessionBody, input: AttachInput, former: Former | null, wantDelta: boolean, lost?: Lost): Turn | TurnResult {
  const { links, env } = body;
  const present = former?.present ?? null;
  if (present === null && links.byId.size >= env.limits.maxLinksPerSession) return refused(body, new SojournError("E_SESSION_FULL"));
  let user: unknown;
  try {
    user = copyPlain(input.user, env.limits, "user");
  } catch (error) {
    return refused(body, error as SojournError);
  }
  const joining = new LinkState({
    id: input.link,
    ordinal: links.nextOrdinal,
    user,
    ingress: input.ingress,
    token: input.nextToken,
    previousToken: input.token,
  });
  const turn = new Turn(body, joining.view, wantDelta);
  // A link that is known here no more may have been lost with the session: what is late of it must not count for the new one.
  const named = namedGeneration(input.generation);
  if (named > links.generationFloor) turn.ops.push(OP.floor, named);
  const known = input.epoch > 0 || input.lastOut > 0 || input.sent > 0;
  // The link that the client means is not here, whoever has its name now.
  const gone = present === null ? former === null : former?.reason === "E_LINK_EXPIRED";
  // One that is not in the copy that the session goes on from may have joined in a turn that is lost.
  const whole = known && gone && input.offsetEpoch < body.branchEpoch;
  const { outputs, inputs } = lost ?? (whole ? { outputs: input.lastOut, inputs: input.acked } : { outputs: 0, inputs: 0 });
  const unknown = input.offsetEpoch < body.anewEpoch ? "E_SESSION_LOST" : whole ? "E_TURNS_LOST" : "E_LINK_EXPIRED";
  const anew = lost === undefined ? "E_SEQUENCE_INVALID" : "E_TURNS_LOST";
  // The link began anew before and its client has not heard of it: it still comes with its former numbers.
  const unheard = lost === undefined && present?.begun?.reason != null ? present.begun : null;
  turn.welcome = {
    link: joining,
    ...(unheard ?? { reason: present !== null && !gone ? anew : known ? unknown : null, lostOutputs: outputs, lostInputs: inputs }),
  };
  turn.program = joinLink(turn, joining, former);
  return turn;
}

function refused(body: SessionBody, error: SojournError): TurnResult {
  return noTurn(body, "ignored", undefined, { ok: false, error });
}

/** A link of that id that is gone but whose onLeave has not run: it runs before the id joins again. */
function formerDeparture(body: SessionBody, id: string): Former | null {
  const departure = body.links.departure(id);
  return departure === undefined ? null : { view: viewOf(departure), reason: departure.reason, present: null };
}

function viewOf({ id, user }: Departure) {
  return { id, user, attached: false };
}

function planDetach(body: SessionBody, input: Extract<TurnInput, { kind: "detach" }>, wantDelta: boolean): Turn | TurnResult {
  const link = body.links.byId.get(input.link);
  if (link === undefined || link.generation !== input.generation || link.ingress === null) return noTurn(body, "ignored");
  const turn = new Turn(body, link.view, wantDelta);
  turn.ops.push(OP.detach, link.ordinal);
  return turn;
}

function planRemoval(body: SessionBody, link: LinkState, reason: LeaveReason, wantDelta: boolean): Turn {
  const turn = new Turn(body, link.view, wantDelta);
  turn.remove(link, null, reason === "left" ? "E_CLIENT_CLOSED" : "E_LINK_EXPIRED", "", false);
  const { onLeave } = body.definition.hooks;
  if (onLeave !== undefined) turn.program = runHandler(turn, "onLeave", onLeave, true, link.view, reason);
  return turn;
}

/** What `dueAlarm` names when a departure is due; no timer can have this name. */
const DEPARTURE = " departure";

/** When something is due that the session must be told by a `timer` input, or null. */
export function nextAlarmMs(body: SessionBody): number | null {
  if (body.ended) return null;
  return body.links.departures.length > 0 ? body.env.clock.now() : body.timers.nextMs();
}

/** The name of what is due, or null. */
export function dueAlarm(body: SessionBody): string | null {
  if (body.ended) return null;
  return body.links.departures.length > 0 ? DEPARTURE : body.timers.due(body.env.clock.now());
}

function planTimer(body: SessionBody, name: string, wantDelta: boolean): Turn | TurnResult {
  if (name === DEPARTURE) return planDeparture(body, wantDelta);
  const nowMs = body.env.clock.now();
  const timer = body.timers.get(name);
  if (timer === undefined || timer.dueMs > nowMs) return noTurn(body, "ignored");
  const turn = new Turn(body, null, wantDelta);
  body.timers.fire(name, nowMs);
  const handler = body.definition.timers.get(name);
  // A definition may lose a timer between two versions; its firing is taken off all the same.
  if (handler !== undefined) turn.program = runHandler(turn, `timer ${name}`, handler, true);
  return turn;
}

function planDeparture(body: SessionBody, wantDelta: boolean): Turn | TurnResult {
  const departure = body.links.departure(null);
  if (departure === undefined) return noTurn(body, "ignored");
  const view = viewOf(departure);
  const turn = new Turn(body, view, wantDelta);
  turn.ops.push(OP.departed, departure.id);
  const { onLeave } = body.definition.hooks;
  if (onLeave !== undefined) turn.program = runHandler(turn, "onLeave", onLeave, true, view, departure.reason);
  return turn;
}

function planWake(body: SessionBody, reason: WakeInfo["reason"], stalenessMs: number, wantDelta: boolean): Turn | TurnResult {
  const { onCreate, onWake } = body.definition.hooks;
  if (reason !== "created" || onCreate === undefined) return planHook(body, "onWake", { reason, stalenessMs }, wantDelta);
  const turn = new Turn(body, null, wantDelta);
  turn.program = createSession(turn, onCreate, onWake);
  return turn;
}

/** Always a turn: replicas and later owners must know where the numbers of clients from before stop to count. */
function planBranch(body: SessionBody, epoch: number, wantDelta: boolean): Turn {
  const turn = new Turn(body, null, wantDelta);
  body.branchEpoch = epoch;
  turn.ops.push(OP.branch, epoch);
  return turn;
}

function planHook(body: SessionBody, name: "onWake" | "onBeforeMove" | "onAfterMove", info: object, wantDelta: boolean): Turn | TurnResult {
  const hook = body.definition.hooks[name];
  if (hook === undefined) return noTurn(body, "ignored");
  const turn = new Turn(body, null, wantDelta);
  turn.program = runHandler(turn, name, hook, false, info);
  return turn;
}
