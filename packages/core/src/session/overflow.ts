import type { LinkState } from "./link-state.js";
import { messageBytes } from "./link-state.js";
import type { LinkTable } from "./link-table.js";
import { arity, OP } from "./ops.js";

interface Load {
  messages: number;
  bytes: number;
}

/** The links whose outbox would pass a bound if the operations were played. Only called when some outbox is nearly full. */
export function findOverflows(links: LinkTable, ops: readonly unknown[], from: number, maxMessages: number, maxBytes: number): LinkState[] {
  const loads = new Map<LinkState, Load>();
  const load = (link: LinkState, name: string, payload: Uint8Array) => {
    let of = loads.get(link);
    if (of === undefined) {
      of = { messages: link.outbox.length, bytes: link.outboxBytes };
      loads.set(link, of);
    }
    of.messages++;
    of.bytes += messageBytes(name, payload);
  };
  const loadOne = (ordinal: unknown, name: string, payload: Uint8Array) => {
    const link = links.ordinal(ordinal as number);
    if (link !== undefined) load(link, name, payload);
  };
  for (let at = from; at < ops.length; ) {
    const code = ops[at++];
    if (code === OP.broadcast) for (const link of links.byId.values()) load(link, ops[at] as string, ops[at + 1] as Uint8Array);
    else if (code === OP.broadcastExcept) {
      for (const link of links.byId.values()) {
        if (!(ops[at] as number[]).includes(link.ordinal)) load(link, ops[at + 1] as string, ops[at + 2] as Uint8Array);
      }
    } else if (code === OP.send) loadOne(ops[at], ops[at + 1] as string, ops[at + 2] as Uint8Array);
    else if (code === OP.reply) loadOne(ops[at], "", ops[at + 2] as Uint8Array);
    else if (code === OP.failure) loadOne(ops[at], ops[at + 2] as string, ops[at + 3] as Uint8Array);
    at += arity(code);
  }
  const overflowing: LinkState[] = [];
  for (const [link, { messages, bytes }] of loads) {
    if (!link.leaving && (messages > maxMessages || bytes > maxBytes)) overflowing.push(link);
  }
  return overflowing;
}
