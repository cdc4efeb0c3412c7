import { SojournError } from "../errors/sojourn-error.js";
import type { SessionBody } from "./body.js";
import { encodeDelta } from "./delta.js";
import { findOverflows } from "./overflow.js";
import { playLinkOps } from "./play.js";
import type { Turn } from "./turn.js";
import type { AttachVerdict, ClosedLink, Link, TurnResult } from "./types.js";

const NO_LINKS: readonly Link[] = Object.freeze([]);
const NO_CLOSED: readonly ClosedLink[] = Object.freeze([]);

/** The result of an input that made no turn. */
export function noTurn(
  body: SessionBody,
  outcome: Exclude<TurnResult["outcome"], "committed">,
  touched: readonly Link[] = NO_LINKS,
  attach: AttachVerdict | null = null,
): TurnResult {
  return { outcome, version: body.version, delta: null, touched, attach, closed: NO_CLOSED, ended: false };
}

/** Makes a finished turn the session's next version. */
export function commitTurn(turn: Turn): TurnResult {
  const { body, ops } = turn;
  const { links } = body;
  endLinks(turn);
  const nowMs = body.env.clock.now();
  const version = body.version + 1;
  const all: Link[] = [];
  playLinkOps({ links, version, nowMs, joining: turn.joining, touched: all }, ops, 1);
  body.version = version;
  if (turn.ending) {
    body.ended = true;
    links.departures = [];
  }
  let delta: Uint8Array | null = null;
  if (turn.wantDelta) delta = timedDelta(turn, nowMs);
  else {
    body.timers.settle();
    body.cache.settle();
  }
  body.restated = false;
  links.clearMarks();
  const removed = turn.removals.length > 0;
  return {
    outcome: "committed",
    version,
    delta,
    touched: removed ? all.filter((link) => links.byId.get(link.id) === link) : all,
    attach: turn.welcome === null ? null : verdictOf(turn, turn.welcome),
    closed: removed ? closedLinks(turn) : NO_CLOSED,
    ended: turn.ending,
  };
}

function timedDelta(turn: Turn, nowMs: number): Uint8Array {
  const { changes, clock } = turn.body.env;
  if (changes === undefined || !changes.due()) return encodeDelta(turn, nowMs);
  const startedMs = clock.now();
  const delta = encodeDelta(turn, nowMs);
  changes.encoded(clock.now() - startedMs);
  return delta;
}

/** Removes the links that the turn would overflow, and all of them when it ends the session. */
function endLinks(turn: Turn): void {
  const { body } = turn;
  const { maxOutboxMessages, maxOutboxBytes } = body.env.limits;
  if (turn.stagedMessages > 0 && body.links.mayOverflow(turn.stagedMessages, turn.stagedBytes, maxOutboxMessages, maxOutboxBytes)) {
    for (const link of findOverflows(body.links, turn.ops, 1, maxOutboxMessages, maxOutboxBytes)) {
      turn.remove(
        link,
        "E_LINK_OVERFLOW",
        "E_LINK_OVERFLOW",
        `more than ${maxOutboxMessages} messages or ${maxOutboxBytes} bytes are unconfirmed`,
        true,
      );
    }
  }
  if (!turn.ending) return;
  for (const link of body.links.byId.values()) {
    if (!link.leaving) turn.remove(link, null, "E_SESSION_ENDED", "the session has ended", true);
  }
  if (turn.joining !== null && !turn.joining.leaving) turn.remove(turn.joining, null, "E_SESSION_ENDED", "the session has ended", true);
}

function closedLinks(turn: Turn): ClosedLink[] {
  const closed: ClosedLink[] = [];
  for (const { link, code, message, told } of turn.removals) {
    if (told) closed.push({ link: link.id, generation: link.generation, ingress: link.ingress, code, message, outbox: link.outbox });
  }
  return closed;
}

function verdictOf(turn: Turn, { link, reason, lostOutputs, lostInputs }: NonNullable<Turn["welcome"]>): AttachVerdict {
  if (turn.refusal !== null) return { ok: false, error: turn.refusal };
  if (turn.ending) return { ok: false, error: new SojournError("E_SESSION_ENDED") };
  const { generation, lastIn, ackedOut } = link;
  return { ok: true, generation, recovered: reason === null, reason, lastIn, nextOut: ackedOut + 1, lostOutputs, lostInputs };
}
