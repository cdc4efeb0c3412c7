import { type AnyField, type GrammarRow, grammarOf, list, nullable, oneOf, readFrame, str, struct, uint } from "../bytes/layout.js";
import type { ByteReader } from "../bytes/reader.js";
import type { ByteWriter } from "../bytes/writer.js";
import { nodeEntry, nodeInfo, recordDraft, sessionRecord } from "./layouts.js";

/** The version of the directory protocol. A peer that speaks another one is refused with `E_PROTOCOL_VERSION`. */
export const DIRECTORY_PROTOCOL = 1;

/** "SJDR": the first field of a connection, so that a stranger is told apart from a bad frame. */
export const DIRECTORY_MAGIC = "SJDR";

/** Every request carries an id of the client's choice, and every answer the id of its request. */
const id = uint;
const keyed = struct({ key: str, record: sessionRecord });

const REQUESTS = {
  /** First frame of a connection. */
  hello: struct({ magic: str, protocol: uint }),
  register: struct({ id, info: nodeInfo, ttlMs: uint }),
  renew: struct({ id, ref: str }),
  update: struct({ id, ref: str, info: nodeInfo }),
  resign: struct({ id, ref: str }),
  read: struct({ id, key: str }),
  compareAndSet: struct({ id, key: str, expectedRevision: uint, draft: recordDraft }),
  listRecords: struct({ id, ref: str }),
  /** The id names the watch from now on. */
  watchRecords: struct({ id, ref: str }),
  watchNodes: struct({ id }),
  /** Ends the watch with this id; it has no answer. */
  unwatch: struct({ id }),
  ping: struct({ id }),
} as const;
/** The first byte of a request is its position here plus one. Append only. */
const REQUEST_ORDER = [
  "hello",
  "register",
  "renew",
  "update",
  "resign",
  "read",
  "compareAndSet",
  "listRecords",
  "watchRecords",
  "watchNodes",
  "unwatch",
  "ping",
] as const;

const REPLIES = {
  /** Answer to a hello. */
  welcome: struct({ protocol: uint }),
  registered: struct({ id, ref: str }),
  renewed: struct({ id, result: oneOf("renewed", "ended") }),
  /** Answer to update, resign and ping. */
  done: struct({ id }),
  record: struct({ id, record: nullable(sessionRecord) }),
  applied: struct({ id, revision: uint }),
  conflict: struct({ id, current: nullable(sessionRecord) }),
  /** A part of the answer to listRecords. */
  someRecords: struct({ id, records: list(keyed) }),
  /** The last part. */
  lastRecords: struct({ id, records: list(keyed) }),
  /** The request was refused; nothing was changed unless the code is `E_DIRECTORY_UNKNOWN_OUTCOME`. */
  refused: struct({ id, code: str, message: str }),
  /** Event of a watch. */
  recordChanged: struct({ id, key: str, record: sessionRecord }),
  /** Event of a watch. */
  nodeChanged: struct({ id, entry: nodeEntry }),
  /** Everything that stood when the watch began has been told. */
  replayed: struct({ id }),
  /** The connection ends because of what the client did. */
  problem: struct({ code: str, message: str }),
} as const;
/** The first byte of a reply is its position here plus one. Append only. */
const REPLY_ORDER = [
  "welcome",
  "registered",
  "renewed",
  "done",
  "record",
  "applied",
  "conflict",
  "someRecords",
  "lastRecords",
  "refused",
  "recordChanged",
  "nodeChanged",
  "replayed",
  "problem",
] as const;

type BodyOf<F> = F extends { read(reader: ByteReader): infer T } ? T : never;
type FramesOf<F extends Record<string, AnyField>> = { [K in keyof F]: { readonly t: K } & Readonly<BodyOf<F[K]>> }[keyof F];

/** Every frame from a client to the directory server, told apart by `t`. */
export type DirectoryRequest = FramesOf<typeof REQUESTS>;
/** Every frame from the directory server to a client, told apart by `t`. */
export type DirectoryReply = FramesOf<typeof REPLIES>;

const REQUEST_CODE = codes(REQUEST_ORDER);
const REPLY_CODE = codes(REPLY_ORDER);

function codes<T extends string>(order: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(order.map((t, i) => [t, i + 1])) as Record<T, number>;
}

type AnyWriter = { write(w: ByteWriter, v: unknown): void };

/** Appends one request: a type byte and its fields. */
export function writeDirectoryRequest(writer: ByteWriter, frame: DirectoryRequest): void {
  writer.u8(REQUEST_CODE[frame.t]);
  (REQUESTS[frame.t] as unknown as AnyWriter).write(writer, frame);
}

/** Appends one reply: a type byte and its fields. */
export function writeDirectoryReply(writer: ByteWriter, frame: DirectoryReply): void {
  writer.u8(REPLY_CODE[frame.t]);
  (REPLIES[frame.t] as unknown as AnyWriter).write(writer, frame);
}

/**
 * Reads one request from the start of `data` to its end.
 * @throws SojournError `E_FRAME_MALFORMED`
 */
export function decodeDirectoryRequest(data: Uint8Array): DirectoryRequest {
  return readFrame(data, REQUEST_ORDER, REQUESTS, "directory frame") as DirectoryRequest;
}

/**
 * Reads one reply from the start of `data` to its end.
 * @throws SojournError `E_FRAME_MALFORMED`
 */
export function decodeDirectoryReply(data: Uint8Array): DirectoryReply {
  return readFrame(data, REPLY_ORDER, REPLIES, "directory frame") as DirectoryReply;
}

/** Type byte, name and fields of every directory frame, for the generated page of the wire. */
export function directoryGrammar(): { readonly requests: readonly GrammarRow[]; readonly replies: readonly GrammarRow[] } {
  return { requests: grammarOf(REQUEST_ORDER, REQUESTS), replies: grammarOf(REPLY_ORDER, REPLIES) };
}
