import { crc32 } from "node:zlib";
import { ByteReader, ByteWriter, bytes, decodeHead, encodeHead, list, NO_HEAD, type SessionHead, str, struct } from "@sojourn/core";
import { frameRecords, splitFrames } from "./framing.js";

const fields = struct({ head: bytes, nonce: str, bases: list(str), segments: list(str) });

/** What a session's head object says: which objects count, and the newest records themselves. */
export interface HeadObject {
  readonly head: SessionHead;
  /** Who wrote exactly this. */
  readonly nonce: string;
  /** Names of bases, in no order. */
  readonly bases: readonly string[];
  /** Names of objects with older records, in their order. */
  readonly segments: readonly string[];
  /** Records that came after them. */
  readonly records: readonly Uint8Array[];
}

/** Of a session without a head object. */
export const NO_HEAD_OBJECT: HeadObject = { head: NO_HEAD, nonce: "", bases: [], segments: [], records: [] };

/** A frame with a checksum and the fields, then a frame for each record. */
export function encodeHeadObject(session: string, object: HeadObject): Uint8Array {
  const w = new ByteWriter();
  w.u32(0);
  fields.write(w, { ...object, head: encodeHead(session, object.head, crc32) });
  w.patchU32(0, crc32(w.view(4)));
  return frameRecords([w.take(), ...object.records]);
}

/** Null when the fields are damaged or another session's; records may be damaged, and stay as they are. */
export function decodeHeadObject(session: string, body: Uint8Array): HeadObject | null {
  const [first, ...records] = splitFrames(body);
  if (first === undefined) return null;
  try {
    const reader = new ByteReader(first);
    if (reader.u32() !== crc32(first.subarray(4))) return null;
    const { head: encoded, nonce, bases, segments } = fields.read(reader);
    const head = decodeHead(session, encoded, crc32);
    return head === null ? null : { head, nonce, bases, segments, records };
  } catch {
    return null;
  }
}
