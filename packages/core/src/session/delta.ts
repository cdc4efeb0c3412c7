import { SojournError } from "../errors/sojourn-error.js";
import { applyPatch } from "../state/apply-patch.js";
import type { Patch } from "../state/patch.js";
import type { SessionBody } from "./body.js";
import { arity, checkOps, OP } from "./ops.js";
import { playLinkOps } from "./play.js";
import type { Turn } from "./turn.js";

/**
 * Completes a turn's operations with what replicas need besides (timers, cache, windows) and encodes them. Only once the turn has
 * been played.
 */
export function encodeDelta(turn: Turn, nowMs: number): Uint8Array {
  const { body, ops } = turn;
  if (body.restated) ops.push(OP.restate, body.stateVersion, body.raw);
  const timers = body.timers.settle();
  if (timers !== null) {
    for (const name of timers) {
      const timer = body.timers.get(name);
      if (timer === undefined) ops.push(OP.timer, name, null, null);
      else ops.push(OP.timer, name, Math.max(0, timer.dueMs - nowMs), timer.everyMs);
    }
  }
  const cache = body.cache.settle();
  if (cache !== null) for (const [key, travelled] of cache) pushCacheOp(body, ops, key, travelled);
  for (const link of body.links.marked) {
    if (body.links.byId.get(link.id) === link) ops.push(OP.mark, link.ordinal, link.ackedOut, link.confirmed);
  }
  if (turn.ending) ops.push(OP.end);
  return body.env.codec.encode(ops);
}

function pushCacheOp(body: SessionBody, ops: unknown[], key: string, travelled: boolean): void {
  const entry = body.cache.get(key);
  if (entry?.cacheClass === "carry") ops.push(OP.cache, key, entry.value, entry.bytes);
  else if (entry?.cacheClass === "lazy") ops.push(OP.cacheStub, key, entry.bytes, entry.from ?? body.env.self);
  else if (travelled) ops.push(OP.cacheGone, key);
}

/**
 * Applies the next turn's delta to a replica, whole or not at all.
 * @throws SojournError `E_CODEC_CORRUPT`, `E_CODEC_TABLE_UNKNOWN`, `E_DELTA_GAP`
 */
export function applyDelta(body: SessionBody, delta: Uint8Array, nowMs: number): void {
  const ops = body.env.codec.decode(delta);
  if (!Array.isArray(ops)) throw new SojournError("E_CODEC_CORRUPT", "a delta is not a list");
  if (ops[0] !== body.version + 1) {
    throw new SojournError("E_DELTA_GAP", `a delta of version ${String(ops[0])} does not follow version ${body.version}`, {
      version: body.version,
    });
  }
  const { links } = body;
  checkOps(ops, 1, {
    nextOrdinal: links.nextOrdinal,
    hasOrdinal: (ordinal) => links.ordinal(ordinal) !== undefined,
    hasDeparture: (id) => links.departure(id) !== undefined,
  });
  applyState(body, ops);
  playLinkOps({ links, version: body.version + 1, nowMs, joining: null, touched: null }, ops, 1);
  playOtherOps(body, ops, nowMs);
  body.timers.settle();
  body.cache.settle();
  links.clearMarks();
  body.version++;
}

/** The only step that can still refuse comes first. */
function applyState(body: SessionBody, ops: readonly unknown[]): void {
  for (let at = 1; at < ops.length; at += 1 + arity(ops[at])) {
    if (ops[at] === OP.state) applyPatch(body.raw, ops[at + 1] as Patch);
    else if (ops[at] === OP.restate) {
      body.stateVersion = ops[at + 1] as number;
      body.raw = ops[at + 2] as object;
    }
  }
}

function playOtherOps(body: SessionBody, ops: readonly unknown[], nowMs: number): void {
  for (let at = 1; at < ops.length; at += 1 + arity(ops[at])) {
    const name = ops[at + 1] as string;
    switch (ops[at]) {
      case OP.timer:
        if (ops[at + 2] === null) body.timers.put(name, null);
        else body.timers.put(name, { dueMs: nowMs + (ops[at + 2] as number), everyMs: ops[at + 3] as number | null });
        break;
      case OP.cache:
        body.cache.put(name, { cacheClass: "carry", value: ops[at + 2], bytes: ops[at + 3] as number, from: null });
        break;
      case OP.cacheStub:
        body.cache.put(name, { cacheClass: "lazy", value: undefined, bytes: ops[at + 2] as number, from: ops[at + 3] as string });
        break;
      case OP.cacheGone:
        body.cache.put(name, null);
        break;
      case OP.branch:
        body.branchEpoch = ops[at + 1] as number;
        break;
      case OP.end:
        body.ended = true;
        body.links.departures = [];
        break;
      default:
    }
  }
}
