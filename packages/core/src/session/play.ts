import type { ErrorCode } from "../errors/catalogue.js";
import type { NodeRef } from "../names.js";
import type { LeaveReason } from "./context.js";
import { firstGenerationAfter } from "./generations.js";
import { LinkState, type Message } from "./link-state.js";
import type { LinkTable } from "./link-table.js";
import { arity, OP } from "./ops.js";
import type { Link } from "./types.js";

/** One playing of a turn's operations on the links. */
export interface Playing {
  readonly links: LinkTable;
  /** The turn's version. */
  readonly version: number;
  readonly nowMs: number;
  /** The owner's object for the link that joins, so that what its handlers hold stays right; null on replicas. */
  readonly joining: LinkState | null;
  /** Collects the links that have something new; null on replicas. */
  readonly touched: Link[] | null;
}

const NONE: readonly number[] = [];

/** Plays the operations of a committed turn that concern links; the others are passed over. The list must be sound. */
export function playLinkOps(playing: Playing, ops: readonly unknown[], from: number): void {
  const { links, version } = playing;
  for (let at = from; at < ops.length; ) {
    const code = ops[at++];
    switch (code) {
      case OP.broadcast:
        toAll(playing, NONE, event(version, ops[at] as string, ops[at + 1] as Uint8Array));
        at += 2;
        break;
      case OP.broadcastExcept:
        toAll(playing, ops[at] as number[], event(version, ops[at + 1] as string, ops[at + 2] as Uint8Array));
        at += 3;
        break;
      case OP.send:
        toOne(playing, ops[at] as number, event(version, ops[at + 1] as string, ops[at + 2] as Uint8Array));
        at += 3;
        break;
      case OP.reply:
        handled(playing, ops[at] as number, ops[at + 1] as number);
        toOne(playing, ops[at] as number, {
          version,
          kind: "reply",
          answers: ops[at + 1] as number,
          name: "",
          payload: ops[at + 2] as Uint8Array,
        });
        at += 3;
        break;
      case OP.failure:
        handled(playing, ops[at] as number, ops[at + 1] as number);
        toOne(playing, ops[at] as number, {
          version,
          kind: "failure",
          answers: ops[at + 1] as number,
          name: ops[at + 2] as string,
          payload: ops[at + 3] as Uint8Array,
        });
        at += 4;
        break;
      case OP.join:
        join(playing, ops, at);
        at += 8;
        break;
      case OP.attach: {
        const link = links.ordinal(ops[at] as number);
        if (link !== undefined) {
          link.attach(ops[at + 1] as NodeRef, ops[at + 2] as string, ops[at + 3] as string);
          touch(playing, link);
        }
        at += 4;
        break;
      }
      case OP.detach:
        links.ordinal(ops[at] as number)?.detach(playing.nowMs);
        at += 1;
        break;
      case OP.remove: {
        const link = links.ordinal(ops[at] as number);
        if (link !== undefined) {
          links.remove(link);
          if (ops[at + 1] !== null) links.departures.push({ id: link.id, user: link.user, reason: ops[at + 1] as LeaveReason });
        }
        at += 2;
        break;
      }
      case OP.departed:
        links.departed(ops[at] as string);
        at += 1;
        break;
      case OP.mark: {
        const link = links.ordinal(ops[at] as number);
        if (link !== undefined) {
          link.trim(ops[at + 1] as number);
          if (ops[at + 2] === true) link.confirmed = true;
        }
        at += 3;
        break;
      }
      case OP.branch:
        links.branch(playing.nowMs);
        at += 1;
        break;
      case OP.floor:
        links.generationFloor = Math.max(links.generationFloor, ops[at] as number);
        at += 1;
        break;
      default:
        at += arity(code);
    }
  }
}

function event(version: number, name: string, payload: Uint8Array): Message {
  return { version, kind: "event", answers: 0, name, payload };
}

function touch(playing: Playing, link: LinkState): void {
  if (playing.touched === null || link.touchedVersion === playing.version) return;
  link.touchedVersion = playing.version;
  playing.touched.push(link);
}

function toAll(playing: Playing, except: readonly number[], message: Message): void {
  playing.links.appended(message);
  for (const link of playing.links.byId.values()) {
    if (except.length !== 0 && except.includes(link.ordinal)) continue;
    link.append(message);
    touch(playing, link);
  }
}

function toOne(playing: Playing, ordinal: number, message: Message): void {
  const link = playing.links.ordinal(ordinal);
  if (link === undefined) return;
  playing.links.appended(message);
  link.append(message);
  touch(playing, link);
}

function handled(playing: Playing, ordinal: number, seq: number): void {
  const link = playing.links.ordinal(ordinal);
  if (link === undefined) return;
  link.lastIn = seq;
  link.lastInVersion = playing.version;
}

function join(playing: Playing, ops: readonly unknown[], at: number): void {
  const { links, joining } = playing;
  const generation = firstGenerationAfter(links.generationFloor);
  let link = joining;
  if (link === null) {
    link = new LinkState({
      id: ops[at] as string,
      ordinal: links.nextOrdinal,
      user: ops[at + 1],
      ingress: ops[at + 2] as NodeRef,
      token: ops[at + 3] as string,
      previousToken: ops[at + 4] as string,
    });
  }
  link.begin(generation, {
    reason: ops[at + 5] as ErrorCode | null,
    lostOutputs: ops[at + 6] as number,
    lostInputs: ops[at + 7] as number,
  });
  links.add(link);
  touch(playing, link);
}
