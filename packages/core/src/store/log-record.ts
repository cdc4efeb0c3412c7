import { bytes, list, nullable, struct, u32, uint } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import { ByteWriter } from "../bytes/writer.js";
import { SojournError } from "../errors/sojourn-error.js";
import { parseSessionKey } from "../names.js";
import type { Crc32 } from "../ports/checksum.js";
import type { AppendOutcome, LogEntry, LogRecord } from "../ports/session-store.js";

/** Version byte, u32 CRC-32 of the session and the body, body. */
const FORMAT = 1;
const HEAD_BYTES = 5;

const body = struct({
  epoch: uint,
  fromVersion: uint,
  fromHash: u32,
  version: uint,
  hash: u32,
  deltas: list(bytes),
  table: nullable(bytes),
});

/** Turns log records into bytes for a store and back; each carries a checksum over itself and its session. */
export class LogRecords {
  readonly #crc32: Crc32;
  readonly #maxBytes: number;
  readonly #writer = new ByteWriter();

  constructor(crc32: Crc32, maxBytes: number) {
    this.#crc32 = crc32;
    this.#maxBytes = maxBytes;
  }

  /** The bytes of one entry of a group append, or why it fails alone. */
  prepare({ session, record }: LogEntry): Uint8Array | AppendOutcome {
    try {
      parseSessionKey(session);
      return this.encode(session, record);
    } catch (error) {
      return appendFailed(error);
    }
  }

  /** @throws SojournError `E_STORE_TOO_LARGE`; `E_INTERNAL` for a record whose numbers contradict each other */
  encode(session: string, record: LogRecord): Uint8Array {
    const turns = record.version - record.fromVersion;
    if (turns < 1 || turns !== record.deltas.length) {
      throw new SojournError("E_INTERNAL", `a log record of ${record.deltas.length} deltas for ${turns} turns`);
    }
    const w = this.#writer;
    w.clear();
    w.u8(FORMAT);
    w.u32(0);
    body.write(w, record);
    if (w.length > this.#maxBytes) {
      throw new SojournError("E_STORE_TOO_LARGE", `a log record of ${w.length} bytes, the bound is ${this.#maxBytes}`, {
        bytes: w.length,
        maxBytes: this.#maxBytes,
      });
    }
    const encoded = w.take();
    const sum = this.#sum(session, encoded.subarray(HEAD_BYTES));
    new DataView(encoded.buffer).setUint32(1, sum, true);
    return encoded;
  }

  /** Null when the bytes are not what was encoded for this session. */
  decode(session: string, encoded: Uint8Array): LogRecord | null {
    try {
      const reader = new ByteReader(encoded);
      if (reader.u8() !== FORMAT) return null;
      const sum = reader.u32();
      if (this.#sum(session, reader.rest()) !== sum) return null;
      const bodyReader = new ByteReader(encoded, HEAD_BYTES);
      const record = body.read(bodyReader);
      bodyReader.end();
      return record;
    } catch {
      return null;
    }
  }

  #sum(session: string, encodedBody: Uint8Array): number {
    const w = this.#writer;
    w.clear();
    w.str(session);
    const sum = this.#crc32(encodedBody, this.#crc32(w.view()));
    w.clear();
    return sum;
  }
}

/** The outcome of an entry that met an error; what is not an error of ours counts as `E_INTERNAL`. */
export function appendFailed(error: unknown): AppendOutcome {
  return { outcome: "failed", error: error instanceof SojournError ? error : new SojournError("E_INTERNAL", undefined, {}, error) };
}
