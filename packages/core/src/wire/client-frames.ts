import { bool, bytes, f64, type GrammarRow, grammarOf, nullable, oneOf, readFrame, str, struct, uint } from "../bytes/layout.js";
import type { ByteReader } from "../bytes/reader.js";
import type { ByteWriter } from "../bytes/writer.js";

/** The version of the client protocol. A peer that speaks another one is refused with `E_PROTOCOL_VERSION`. */
export const CLIENT_PROTOCOL = 1;

/** First frame of a socket: which session, which link, and where the client stands. */
const hello = struct({
  protocol: uint,
  session: str,
  /** Chosen by the client (random, ≥ 16 characters); the same over all sockets of the link. */
  link: str,
  /** Proves that the sender is who attached last: the `nextToken` of its latest hello, or any secret on the first. */
  token: str,
  /** Replaces `token` once this hello is carried out. */
  nextToken: str,
  /** 0 on the first hello of a link; the epoch of the latest frame from the session otherwise. */
  epoch: uint,
  /** Highest session → client number that was handled in order. */
  lastOut: uint,
  /** Highest client → session number that was ever sent. */
  sent: uint,
  /** Highest client → session number that the session has acknowledged. */
  acked: uint,
  /** The epoch of the frame that `lastOut` or `acked` was last learned from: an offset counts only with its epoch. */
  offsetEpoch: uint,
  /** The generation of the latest welcome; 0 before any. It tells which numbering of the link the numbers belong to. */
  generation: uint,
  /** What the node's `authenticate` function gets. */
  auth: nullable(str),
});

/** One numbered input: a call of an action. Its `seq` identifies the call. */
const input = struct({
  seq: uint,
  /** Cumulative acknowledgement of session → client messages. */
  ack: uint,
  action: str,
  /** The argument, encoded by wire/payload.ts. */
  payload: bytes,
});

/** Cumulative acknowledgement; `gap` asks to send everything after it again. */
const ack = struct({ seq: uint, gap: bool });

const ping = struct({ nonce: uint });
const pong = struct({ nonce: uint });

/** The client leaves for good: the link ends. */
const bye = struct({});

/** Answer to a hello that was carried out. */
const welcome = struct({
  protocol: uint,
  epoch: uint,
  /** Cumulative acknowledgement of client → session messages. */
  lastIn: uint,
  /** Number of the first session → client message that will follow. */
  nextOut: uint,
  /** How often the link has attached; a frame of an older attach is void. */
  generation: uint,
  /** Whether the client got its link back whole. */
  recovered: bool,
  /** Why not, as an error code; null when recovered or new. */
  reason: nullable(str),
  /** With the reason `E_TURNS_LOST`: messages seen of turns that are lost, and inputs that were acknowledged and are undone. */
  lostOutputs: uint,
  lostInputs: uint,
  /** Id of the node that owns the session and its client endpoint. */
  owner: str,
  endpoint: str,
  /** Whole milliseconds without traffic after which the client should ping. */
  heartbeatMs: uint,
});

/** One numbered message from the session. */
const output = struct({
  epoch: uint,
  seq: uint,
  /** Cumulative acknowledgement of client → session messages. */
  ack: uint,
  kind: oneOf("event", "reply", "failure"),
  /** For a reply or failure the number of the input it answers, else 0. */
  answers: uint,
  /** For an event its name; for a failure the error code; else empty. */
  name: str,
  /** Value of the event or reply; for a failure `{ message, details }`. */
  payload: bytes,
});

/** Acknowledges inputs when there is no output to carry it. */
const acked = struct({ epoch: uint, seq: uint });

/** The session has moved; `endpoint` is the better one from now on. The socket goes on working as a relay. */
const moved = struct({
  epoch: uint,
  from: str,
  to: str,
  endpoint: str,
  /** From the last turn at the old owner to the first possible turn at the new one. */
  blackoutMs: f64,
  /** The client should wait this long before it switches (spreads many clients, rides out bouncing). */
  switchAfterMs: uint,
});

/** Something was refused, or the link or socket ends. After `fatal` the socket is closed by the node. */
const problem = struct({
  code: str,
  message: str,
  fatal: bool,
  /** 0: do not retry; otherwise the pause before the next attempt. */
  retryAfterMs: uint,
});

const FRAMES = { hello, input, ack, ping, pong, bye, welcome, output, acked, moved, problem } as const;
/** The first byte of a frame is its position here plus one. Append only. */
const ORDER = ["hello", "input", "ack", "ping", "pong", "bye", "welcome", "output", "acked", "moved", "problem"] as const;

type FrameType = (typeof ORDER)[number];
type BodyOf<F> = F extends { read(reader: ByteReader): infer T } ? T : never;

/** Every frame between a client and a node, told apart by `t`. */
export type ClientFrame = { [K in FrameType]: { readonly t: K } & Readonly<BodyOf<(typeof FRAMES)[K]>> }[FrameType];
/** One type of frame. */
export type ClientFrameOf<K extends FrameType> = Extract<ClientFrame, { t: K }>;

const CODE: Readonly<Record<FrameType, number>> = Object.fromEntries(ORDER.map((t, i) => [t, i + 1])) as Record<FrameType, number>;

/** Writes one frame: a type byte and its fields. One WebSocket message carries exactly one frame. */
export function writeClientFrame(writer: ByteWriter, frame: ClientFrame): void {
  writer.u8(CODE[frame.t]);
  (FRAMES[frame.t] as unknown as { write(w: ByteWriter, v: unknown): void }).write(writer, frame);
}

/** Encodes one frame into bytes of its own. `writer` is scratch space and must be empty. */
export function encodeClientFrame(writer: ByteWriter, frame: ClientFrame): Uint8Array {
  writeClientFrame(writer, frame);
  return writer.take();
}

/**
 * Reads one frame. Byte fields are views into `data`.
 * @throws SojournError `E_FRAME_MALFORMED`
 */
export function decodeClientFrame(data: Uint8Array): ClientFrame {
  return readFrame(data, ORDER, FRAMES, "client frame") as ClientFrame;
}

/** Type byte, name and fields of every client frame, for the generated page of the wire. */
export function clientGrammar(): readonly GrammarRow[] {
  return grammarOf(ORDER, FRAMES);
}
