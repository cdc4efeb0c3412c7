import { ByteReader, ByteWriter, type Lane, type NodeRef, oneOf, SojournError, str, uint } from "@sojourn/core";

/** The version of the control channel between nodes. Another one is refused with `E_PROTOCOL_VERSION`. */
export const CHANNEL_PROTOCOL = 1;

/** "SJRN", little-endian: the first bytes after the kind of every hello, so that a stranger is recognised at once. */
export const CHANNEL_MAGIC = 0x4e_52_4a_53;

/** Bytes of a frame before its payload: u32 length of the body, then the kind. The body is the kind and the payload. */
export const FRAME_HEAD_BYTES = 5;

/** Largest body before the handshake is done; a stranger cannot make a node buffer more. */
export const MAX_HANDSHAKE_BYTES = 1_024;

/** The first byte of a frame's body. `refuse` has the same layout in every version. */
export const KIND = { hello: 1, welcome: 2, refuse: 3, message: 4, ping: 5, pong: 6, credit: 7 } as const;

/** What the dialling side says first on a connection. */
export interface Hello {
  readonly lane: Lane;
  /** From the dialler's counter. Orders its hellos and welcomes, so that a late hello cannot replace a newer connection. */
  readonly stamp: number;
  /** For the bulk lane: the stamp of the control lane's hello that it belongs to; else 0. */
  readonly pairStamp: number;
  readonly from: NodeRef;
  /** The incarnation that is meant; any other refuses. */
  readonly to: NodeRef;
}

/** Why the other side ends the connection. The code is an error code, or unknown to this version. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

const lane = oneOf("control", "bulk");

/** Payload of a hello. */
export function encodeHello(hello: Hello, protocol = CHANNEL_PROTOCOL): Uint8Array {
  const w = new ByteWriter(128);
  w.u32(CHANNEL_MAGIC);
  w.uint(protocol);
  lane.write(w, hello.lane);
  w.uint(hello.stamp);
  w.uint(hello.pairStamp);
  w.str(hello.from);
  w.str(hello.to);
  return w.take();
}

/** @throws SojournError `E_FRAME_MALFORMED`, `E_PROTOCOL_VERSION` */
export function decodeHello(payload: Uint8Array): Hello {
  const r = new ByteReader(payload);
  if (r.u32() !== CHANNEL_MAGIC) throw new SojournError("E_FRAME_MALFORMED", "not a Sojourn control channel");
  const protocol = r.uint();
  if (protocol !== CHANNEL_PROTOCOL) {
    throw new SojournError("E_PROTOCOL_VERSION", `this node speaks version ${CHANNEL_PROTOCOL} of the control channel, not ${protocol}`);
  }
  const hello = { lane: lane.read(r), stamp: uint.read(r), pairStamp: uint.read(r), from: str.read(r), to: str.read(r) };
  r.end();
  return hello;
}

/** Payload of a frame that carries one number: the welcome's stamp, a ping's or pong's nonce, a credit's bytes. */
export function encodeNumber(value: number): Uint8Array {
  const w = new ByteWriter(8);
  w.uint(value);
  return w.take();
}

/** @throws SojournError `E_FRAME_MALFORMED` */
export function decodeNumber(payload: Uint8Array): number {
  const r = new ByteReader(payload);
  const value = r.uint();
  r.end();
  return value;
}

/** Payload of a refusal; cut to fit the handshake's bound. */
export function encodeRefusal(refusal: Refusal): Uint8Array {
  const w = new ByteWriter(128);
  w.str(refusal.code);
  w.str(refusal.message.slice(0, 200));
  return w.take();
}

/** @throws SojournError `E_FRAME_MALFORMED` */
export function decodeRefusal(payload: Uint8Array): Refusal {
  const r = new ByteReader(payload);
  return { code: r.str(), message: r.str() };
}

/** One whole frame, in a buffer of its own or in the one given, which must be of its length. */
export function wholeFrame(
  kind: number,
  payload: Uint8Array,
  // Every byte is written below; clearing a large buffer first would cost more than copying into it.
  frame: Uint8Array = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length),
): Uint8Array {
  writeFrameHead(frame, 0, kind, payload.length);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}

/** Writes length and kind. */
export function writeFrameHead(target: Uint8Array, at: number, kind: number, payloadBytes: number): void {
  const body = payloadBytes + 1;
  target[at] = body & 0xff;
  target[at + 1] = (body >>> 8) & 0xff;
  target[at + 2] = (body >>> 16) & 0xff;
  target[at + 3] = body >>> 24;
  target[at + 4] = kind;
}
