import type { ErrorCode } from "../errors/catalogue.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { SessionBody } from "./body.js";
import { createBody } from "./body.js";
import type { LeaveReason } from "./context.js";
import type { SessionDefinition } from "./definition.js";
import { LinkState, type Message } from "./link-state.js";
import { Row } from "./row.js";
import type { OutboxEntry, SessionEnv } from "./types.js";

/** First field of a snapshot; raised when the fields change. */
const FORMAT = 1;

/**
 * Encodes a session whole, as nested lists of fields in a fixed order. Messages that several outboxes share are written once. Of arrays
 * that `apart` names only the number is written.
 */
export function encodeSnapshot(body: SessionBody, nowMs: number, apart?: ReadonlyMap<object, number>): Uint8Array {
  const { links } = body;
  const messages = new Map<Message, number>();
  const linkRows = [...links.byId.values()].map((link) => linkRow(link, messages, nowMs));
  const fields = [
    FORMAT,
    body.stateVersion,
    body.version,
    body.ended,
    body.raw,
    [...body.timers.entries()].map(([name, { dueMs, everyMs }]) => [name, Math.max(0, dueMs - nowMs), everyMs]),
    links.nextOrdinal,
    links.generationFloor,
    [...messages.keys()].map(({ version, kind, answers, name, payload }) => [version, kind, answers, name, payload]),
    linkRows,
    links.departures.map(({ id, user, reason }) => [id, user, reason]),
    cacheRows(body),
    body.durability === "eventual",
    body.branchEpoch,
  ];
  return body.env.codec.encode(fields, apart);
}

function linkRow(link: LinkState, messages: Map<Message, number>, nowMs: number): unknown[] {
  const outbox = link.outbox.map(({ message }) => {
    let at = messages.get(message);
    if (at === undefined) {
      at = messages.size;
      messages.set(message, at);
    }
    return at;
  });
  return [
    link.id,
    link.ordinal,
    link.user,
    link.generation,
    link.firstGeneration,
    link.ingress,
    link.token,
    link.previousToken,
    link.confirmed,
    link.lastIn,
    link.lastInVersion,
    link.lastInAtAttach,
    link.nextOut,
    link.awaySinceMs === null ? null : nowMs - link.awaySinceMs,
    link.branchOut,
    link.begun === null ? null : [link.begun.reason, link.begun.lostOutputs, link.begun.lostInputs],
    outbox,
  ];
}

function cacheRows(body: SessionBody): unknown[][] {
  const rows: unknown[][] = [];
  for (const [key, { cacheClass, value, bytes, from }] of body.cache.entries()) {
    if (cacheClass === "carry") rows.push([key, bytes, null, value]);
    else if (cacheClass === "lazy") rows.push([key, bytes, from ?? body.env.self, null]);
  }
  return rows;
}

/**
 * A session from its snapshot, and the arrays that came apart from it.
 * @throws SojournError `E_CODEC_CORRUPT`, `E_CODEC_TABLE_UNKNOWN`
 */
export function decodeSnapshot(
  key: string,
  definition: SessionDefinition,
  env: SessionEnv,
  bytes: Uint8Array,
  apart?: readonly Uint8Array<ArrayBuffer>[],
): SessionBody {
  const row = new Row(env.codec.decode(bytes, apart), "snapshot");
  const format = row.int();
  if (format !== FORMAT) throw new SojournError("E_CODEC_CORRUPT", `a snapshot of format ${format} cannot be read here`, { format });
  const stateVersion = row.int();
  const version = row.int();
  const ended = row.bool();
  const body = createBody(key, definition, env, row.object());
  body.stateVersion = stateVersion;
  body.version = version;
  body.ended = ended;
  const nowMs = env.clock.now();
  for (const timer of row.rows()) {
    const name = timer.str();
    body.timers.put(name, { dueMs: nowMs + timer.num(), everyMs: timer.numOrNull() });
  }
  body.timers.settle();
  const { links } = body;
  const nextOrdinal = row.int();
  links.generationFloor = row.int();
  const messages = row.rows().map(readMessage);
  for (const fields of row.rows()) links.add(readLink(fields, messages, nowMs));
  links.nextOrdinal = nextOrdinal;
  links.departures = row.rows().map((d) => ({ id: d.str(), user: d.any(), reason: d.str() as LeaveReason }));
  for (const entry of row.rows()) {
    const name = entry.str();
    const size = entry.num();
    const from = entry.strOrNull();
    const value = entry.any();
    body.cache.put(name, { cacheClass: from === null ? "carry" : "lazy", value: from === null ? value : undefined, bytes: size, from });
  }
  body.cache.settle();
  body.durability = row.bool() ? "eventual" : "strong";
  body.branchEpoch = row.int();
  return body;
}

function readMessage(row: Row): Message {
  return { version: row.int(), kind: row.str() as OutboxEntry["kind"], answers: row.int(), name: row.str(), payload: row.bytes() };
}

function readLink(row: Row, messages: readonly Message[], nowMs: number): LinkState {
  const id = row.str();
  const ordinal = row.int();
  const user = row.any();
  const generation = row.int();
  const firstGeneration = row.int();
  const link = new LinkState({ id, ordinal, user, ingress: row.strOrNull(), token: row.str(), previousToken: row.str() });
  link.generation = generation;
  link.firstGeneration = firstGeneration;
  link.confirmed = row.bool();
  link.lastIn = row.int();
  link.lastInVersion = row.int();
  link.lastInAtAttach = row.int();
  const nextOut = row.int();
  const awayForMs = row.numOrNull();
  link.awaySinceMs = awayForMs === null ? null : nowMs - awayForMs;
  link.branchOut = row.numOrNull();
  const begun = row.any();
  if (begun !== null) {
    const fields = new Row(begun, "snapshot");
    link.begun = { reason: fields.strOrNull() as ErrorCode | null, lostOutputs: fields.int(), lostInputs: fields.int() };
  }
  const outbox = row.list();
  link.nextOut = nextOut - outbox.length;
  for (const at of outbox) {
    const message = messages[at as number];
    if (message === undefined || link.nextOut < 1) throw new SojournError("E_CODEC_CORRUPT", "an outbox of a snapshot is damaged");
    link.append(message);
  }
  return link;
}
