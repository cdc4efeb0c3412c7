import { bool, bytes, f64, type GrammarRow, grammarOf, list, nullable, oneOf, readFrame, str, struct, u32, uint } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import type { ByteWriter } from "../bytes/writer.js";
import { strategy } from "../directory/layouts.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { Crc32 } from "../ports/checksum.js";

/** The version of the protocol between nodes; the control channel's handshake carries it. */
export const PEER_PROTOCOL = 1;

/** A place in a session's history. `hash` is the CRC chain over all deltas; two replicas at equal positions are equal. */
const position = struct({ epoch: uint, version: uint, hash: u32 });

/** Structure tables that the bytes beside them rely on, when the receiver may not have them. */
const table = nullable(bytes);

// ---- hand-over (the numbers are the steps of PROTOCOL.md) ----

/** 1. A asks B to take the session in, as a copy to keep or to own it. */
const offer = struct({ session: str, epoch: uint, attempt: uint, stateVersion: uint, toKeep: bool });
/** 1. B has reserved room; `have` is the copy it already holds. */
const accept = struct({ session: str, epoch: uint, attempt: uint, have: nullable(position) });
/** 1. B does not take it. */
const refuse = struct({ session: str, epoch: uint, attempt: uint, code: str, retryAfterMs: uint });
/** A gives the attempt up: before PREPARE B frees everything; afterwards B, as the heir, declines. */
const cancel = struct({ session: str, epoch: uint, attempt: uint });
/** 5. The token: B owns at `epoch` once it has verified this. */
const grant = struct({
  session: str,
  /** The incarnation that it is for. */
  to: str,
  epoch: uint,
  attempt: uint,
  /** Revision of the record that names B as heir. */
  revision: uint,
  /** Position that the deltas extend, and the position after them. */
  fromVersion: uint,
  fromHash: u32,
  version: uint,
  hash: u32,
  deltas: list(bytes),
  table,
  /** Whose acknowledgements B needs from now on (A among them, B not). */
  waitedFor: list(str),
  /** In-sync members of the record. */
  inSync: list(str),
  strategy,
  /** Whether the session store is in-sync on record: then B waits for it too. */
  stored: bool,
  /** Everything up to this version has been released to clients by A. */
  released: uint,
  /** Time from the freeze to the sending of this message. */
  frozenForMs: f64,
  /** Clients of a session that moves often should wait this long before they follow it. */
  settleMs: uint,
});
/** 6. B runs. */
const taken = struct({ session: str, epoch: uint, attempt: uint, version: uint, blackoutMs: f64 });
/** 7, other way: the heir has declined; A owns again at `epoch`. */
const declined = struct({ session: str, epoch: uint, attempt: uint, revision: uint });
/** 8. The record names B as owner. */
const released = struct({ session: str, epoch: uint });

// ---- replicas ----

/**
 * One chunk of a snapshot; `crc` covers the whole snapshot. With a `copy` other than 0 it lacks the large arrays, which went before it in
 * `pieces` pieces.
 */
const base = struct({
  session: str,
  epoch: uint,
  version: uint,
  hash: u32,
  stateVersion: uint,
  totalBytes: uint,
  crc: u32,
  offset: uint,
  chunk: bytes,
  table,
  copy: uint,
  pieces: uint,
});
/**
 * A stretch of a large array, read while the session runs; pieces are numbered from 1. Those below `floor` that have not arrived never
 * will: what they held comes again under new numbers. `reply` asks how far the copy has come.
 */
const piece = struct({
  session: str,
  epoch: uint,
  copy: uint,
  seq: uint,
  floor: uint,
  array: uint,
  arrayBytes: uint,
  offset: uint,
  chunk: bytes,
  reply: bool,
});
/** All pieces up to `seq` have arrived. */
const pieces = struct({ session: str, epoch: uint, copy: uint, seq: uint });
/** Deltas that follow `fromVersion` without a gap; `hash` is the chain after the last. */
const delta = struct({
  session: str,
  epoch: uint,
  fromVersion: uint,
  fromHash: u32,
  hash: u32,
  deltas: list(bytes),
  table,
});
/** Cumulative acknowledgement of a replica; `want` says what it lacks to go on. */
const ack = struct({
  session: str,
  epoch: uint,
  version: uint,
  hash: u32,
  want: oneOf("nothing", "deltas", "base", "table"),
});
/** No record names this replica and its owner no longer feeds it: free it. A `serial` below a later offer's `attempt` is void. */
const drop = struct({ session: str, epoch: uint, serial: uint });
/** A standby asks to be dropped from the record (it is about to stop). */
const leave = struct({ session: str, epoch: uint });
/** The receiver acts in an epoch that is over. */
const fence = struct({ session: str, epoch: uint });

// ---- clients' traffic ----

/** Ingress → owner: a socket wants its link. `socket` tells the ingress which of its sockets an answer is for. */
const attach = struct({
  session: str,
  hops: uint,
  ingress: str,
  socket: uint,
  link: str,
  token: str,
  nextToken: str,
  epoch: uint,
  lastOut: uint,
  sent: uint,
  acked: uint,
  offsetEpoch: uint,
  generation: uint,
  /** What the ingress's authenticate function returned, encoded by wire/payload.ts. */
  user: bytes,
});
/** Ingress → owner: one input of a link. */
const input = struct({
  session: str,
  hops: uint,
  ingress: str,
  link: str,
  generation: uint,
  seq: uint,
  ack: uint,
  action: str,
  payload: bytes,
});
/** Ingress → owner: cumulative acknowledgement by a client. */
const linkAck = struct({ session: str, hops: uint, ingress: str, link: str, generation: uint, seq: uint, gap: bool });
/** Ingress → owner: the socket of this generation is gone (`leave`: for good). */
const detach = struct({ session: str, hops: uint, ingress: str, link: str, generation: uint, leave: bool });
/** Owner → ingress: the answer to an attach; `frame` is the client's welcome or fatal problem. */
const attached = struct({ session: str, epoch: uint, link: str, socket: uint, generation: uint, ok: bool, frame: bytes });
/** Owner → ingress: one client frame; after `close` the socket is closed. */
const output = struct({ session: str, epoch: uint, link: str, generation: uint, close: bool, frame: bytes });
/** New owner → ingresses of attached links. */
const route = struct({ session: str, epoch: uint, owner: str, from: str, blackoutMs: f64, settleMs: uint });
/** The receiver of a client's message is not the owner and knows no better; the ingress asks the directory. */
const misdirected = struct({ session: str, link: str, socket: uint });

/** Owner → ingress: the link has attached elsewhere; the socket of this generation is a spare from now on. */
const unlink = struct({ session: str, link: str, generation: uint });

// ---- cached data ----

const pullCache = struct({ session: str, request: uint, key: str });
const cacheValue = struct({ session: str, request: uint, value: nullable(bytes), table });

// ---- commands of operators, about no session ----

/** A command for the receiver, as JSON. */
const ask = struct({ request: uint, body: str });
const answer = struct({ request: uint, body: str });

const MESSAGES = {
  offer,
  accept,
  refuse,
  cancel,
  grant,
  taken,
  declined,
  released,
  base,
  delta,
  ack,
  drop,
  leave,
  fence,
  attach,
  input,
  linkAck,
  detach,
  attached,
  output,
  route,
  misdirected,
  pullCache,
  cacheValue,
  ask,
  answer,
  unlink,
  piece,
  pieces,
} as const;

type PeerType = keyof typeof MESSAGES;
/** The first byte of a message is its position here plus one. Append only. */
const ORDER = Object.keys(MESSAGES) as PeerType[];
const CODE = Object.fromEntries(ORDER.map((t, i) => [t, i + 1])) as Record<PeerType, number>;

type BodyOf<F> = F extends { read(reader: ByteReader): infer T } ? T : never;

/** Every message between two nodes, told apart by `t`. */
export type PeerMessage = { [K in PeerType]: { readonly t: K } & Readonly<BodyOf<(typeof MESSAGES)[K]>> }[PeerType];
/** One type of message. */
export type PeerMessageOf<K extends PeerType> = Extract<PeerMessage, { t: K }>;
/** A place in a session's history. */
export type Position = Readonly<BodyOf<typeof position>>;

/** Encodes one message: type, fields, CRC-32 over both (little-endian). `writer` is scratch space; the view is valid until its next use. */
export function encodePeerMessage(writer: ByteWriter, crc32: Crc32, message: PeerMessage): Uint8Array {
  writer.clear();
  writer.u8(CODE[message.t]);
  (MESSAGES[message.t] as unknown as { write(w: ByteWriter, v: unknown): void }).write(writer, message);
  writer.u32(crc32(writer.view()));
  return writer.view();
}

/**
 * Verifies the checksum and reads one message. Byte fields are views into `data`.
 * @throws SojournError `E_FRAME_CHECKSUM`, `E_FRAME_MALFORMED`
 */
export function decodePeerMessage(crc32: Crc32, data: Uint8Array): PeerMessage {
  if (data.length < 6) throw new SojournError("E_FRAME_MALFORMED", "message is cut short");
  const body = data.subarray(0, data.length - 4);
  const trailer = new ByteReader(data, data.length - 4);
  if (trailer.u32() !== crc32(body)) throw new SojournError("E_FRAME_CHECKSUM");
  return readFrame(body, ORDER, MESSAGES, "message") as PeerMessage;
}

/** Type byte, name and fields of every message between nodes, for the generated page of the wire. */
export function peerGrammar(): readonly GrammarRow[] {
  return grammarOf(ORDER, MESSAGES);
}
