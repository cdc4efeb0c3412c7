import { nullable, struct, u32, uint } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import { ByteWriter } from "../bytes/writer.js";
import type { Crc32 } from "../ports/checksum.js";
import type { SessionHead } from "./session-head.js";

const FORMAT = 1;
const HEAD_BYTES = 5;
const position = struct({ epoch: uint, version: uint, hash: u32 });
const fields = struct({ fence: uint, base: nullable(position), log: nullable(position) });

/** A head as bytes for a store that has no fields: version byte, u32 CRC-32 of the session and the rest. `scratch` is used and left empty. */
export function encodeHead(session: string, head: SessionHead, crc32: Crc32, scratch = new ByteWriter(128)): Uint8Array {
  const ofSession = sumOf(session, crc32, scratch);
  scratch.u8(FORMAT);
  scratch.u32(0);
  fields.write(scratch, head);
  scratch.patchU32(1, crc32(scratch.view(HEAD_BYTES), ofSession));
  return scratch.take();
}

/** Null when the bytes are not what was encoded for this session. */
export function decodeHead(session: string, bytes: Uint8Array, crc32: Crc32, scratch = new ByteWriter(128)): SessionHead | null {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== FORMAT || reader.u32() !== crc32(bytes.subarray(HEAD_BYTES), sumOf(session, crc32, scratch))) return null;
    const head = fields.read(reader);
    reader.end();
    return head;
  } catch {
    return null;
  }
}

function sumOf(session: string, crc32: Crc32, scratch: ByteWriter): number {
  scratch.clear();
  scratch.str(session);
  const sum = crc32(scratch.view());
  scratch.clear();
  return sum;
}
