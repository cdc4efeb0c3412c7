import { nullable, struct, u32, uint } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import { ByteWriter } from "../bytes/writer.js";
import type { Crc32 } from "../ports/checksum.js";
import type { SessionHead } from "./session-head.js";

const FORMAT = 1;
const HEAD_BYTES = 5;
const position = struct({ epoch: uint, version: uint, hash: u32 });
const fields = struct({ fence: uint, base: nullable(position), log: nullable(position) });

/** A head as bytes for a store that has no fields: version byte, u32 CRC-32 of the session and the rest. */
export function encodeHead(session: string, head: SessionHead, crc32: Crc32): Uint8Array {
  const w = new ByteWriter(128);
  w.u8(FORMAT);
  w.u32(0);
  fields.write(w, head);
  w.patchU32(1, sum(session, w.view(HEAD_BYTES), crc32));
  return w.take();
}

/** Null when the bytes are not what was encoded for this session. */
export function decodeHead(session: string, bytes: Uint8Array, crc32: Crc32): SessionHead | null {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== FORMAT || reader.u32() !== sum(session, bytes.subarray(HEAD_BYTES), crc32)) return null;
    const head = fields.read(reader);
    reader.end();
    return head;
  } catch {
    return null;
  }
}

function sum(session: string, rest: Uint8Array, crc32: Crc32): number {
  const w = new ByteWriter(128);
  w.str(session);
  return crc32(rest, crc32(w.view()));
}
