import { bytes, nullable, str, struct, u32, uint } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import { ByteWriter } from "../bytes/writer.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { Crc32 } from "../ports/checksum.js";
import type { BaseHead, BaseWrite, StoredBase } from "../ports/session-store.js";

/**
 * A base as a store keeps it: version byte, head, the encoded session, tail, u32 length of the tail, u32 CRC-32 of all before. What
 * is only known at the end stands at the end, so that it can be written in one pass.
 */
const FORMAT = 1;
const END_BYTES = 8;

const head = struct({ session: str, epoch: uint, version: uint, hash: u32, stateVersion: uint });
const tail = struct({ bytes: uint, table: nullable(bytes) });

/** What sealing needs besides the base. */
export interface SealOptions {
  readonly crc32: Crc32;
  /** Bound on the encoded session. */
  readonly maxBytes: number;
  /** Size of the pieces that come out, except the last. */
  readonly pieceBytes: number;
}

/**
 * The sealed form of a base in pieces of one size. The pieces are the taker's.
 * @throws SojournError `E_STORE_TOO_LARGE`, and whatever the chunks throw
 */
export async function* sealBase(session: string, base: BaseWrite, options: SealOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { crc32, maxBytes, pieceBytes } = options;
  const w = new ByteWriter();
  writeHead(w, session, base);
  let total = 0;
  let sum = 0;
  for await (const part of base.chunks) {
    total += part.length;
    checkTotal(total, maxBytes);
    let at = 0;
    while (w.length + part.length - at >= pieceBytes) {
      const end = at + pieceBytes - w.length;
      w.raw(part.subarray(at, end));
      at = end;
      const piece = w.take();
      sum = crc32(piece, sum);
      yield piece;
    }
    w.raw(part.subarray(at));
  }
  yield writeTail(w, total, base.table(), sum, crc32);
}

/** The whole sealed form at once, for bases whose chunks are there already. @throws SojournError `E_STORE_TOO_LARGE` */
export function sealWhole(
  session: string,
  base: BaseWrite & { readonly chunks: Iterable<Uint8Array> },
  options: Omit<SealOptions, "pieceBytes">,
): Uint8Array {
  const w = new ByteWriter();
  writeHead(w, session, base);
  let total = 0;
  for (const chunk of base.chunks) {
    total += chunk.length;
    checkTotal(total, options.maxBytes);
    w.raw(chunk);
  }
  return writeTail(w, total, base.table(), 0, options.crc32);
}

function checkTotal(total: number, maxBytes: number): void {
  if (total <= maxBytes) return;
  throw new SojournError("E_STORE_TOO_LARGE", `a snapshot of more than ${maxBytes} bytes`, { maxBytes });
}

function writeHead(w: ByteWriter, session: string, base: BaseHead): void {
  w.u8(FORMAT);
  head.write(w, { session, epoch: base.epoch, version: base.version, hash: base.hash, stateVersion: base.stateVersion });
}

function writeTail(w: ByteWriter, total: number, table: Uint8Array | null, sum: number, crc32: Crc32): Uint8Array {
  const start = w.length;
  tail.write(w, { bytes: total, table });
  w.u32(w.length - start);
  w.u32(crc32(w.view(), sum));
  return w.take();
}

/** The base in its sealed form, its bytes a view of it; null when it is damaged, cut, or another session's. */
export function openBase(session: string, sealed: Uint8Array, crc32: Crc32): StoredBase | null {
  try {
    const end = sealed.length - END_BYTES;
    if (end < 0) return null;
    const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (crc32(sealed.subarray(0, end + 4)) !== view.getUint32(end + 4, true)) return null;
    const reader = new ByteReader(sealed);
    if (reader.u8() !== FORMAT) return null;
    const { session: named, epoch, version, hash, stateVersion } = head.read(reader);
    if (named !== session) return null;
    const start = sealed.length - reader.remaining;
    const tailAt = end - view.getUint32(end, true);
    if (tailAt < start) return null;
    const tailReader = new ByteReader(sealed.subarray(0, end), tailAt);
    const { bytes: total, table } = tail.read(tailReader);
    tailReader.end();
    if (tailAt - start !== total) return null;
    return { epoch, version, hash, stateVersion, table, bytes: sealed.subarray(start, tailAt) };
  } catch {
    return null;
  }
}

/** Pieces joined to one. */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  let total = 0;
  for (const piece of pieces) total += piece.length;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
