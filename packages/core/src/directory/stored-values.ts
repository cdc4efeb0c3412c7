import type { Field } from "../bytes/layout.js";
import { ByteReader } from "../bytes/reader.js";
import { ByteWriter } from "../bytes/writer.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { Crc32 } from "../ports/checksum.js";
import type { SessionRecord } from "../ports/directory.js";
import type { NodeLease } from "../ports/directory-store.js";
import { nodeLease, sessionRecord } from "./layouts.js";

/** Version byte, u32 CRC-32 of the key and the body, body. The key is in the sum so that a value under a wrong key is found. */
const FORMAT = 1;
const HEAD_BYTES = 5;

/** Turns what the directory keeps into bytes for a store and back; every value carries its own checksum. */
export class StoredValues {
  readonly #crc32: Crc32;
  readonly #writer = new ByteWriter();

  constructor(crc32: Crc32) {
    this.#crc32 = crc32;
  }

  encodeRecord(key: string, record: SessionRecord): Uint8Array {
    return this.#encode(key, record, sessionRecord);
  }

  encodeLease(key: string, lease: NodeLease): Uint8Array {
    return this.#encode(key, lease, nodeLease);
  }

  /** @throws SojournError `E_DISK` when the bytes are not what was encoded under this key */
  decodeRecord(key: string, bytes: Uint8Array): SessionRecord {
    return this.#decode(key, bytes, sessionRecord);
  }

  /** @throws SojournError `E_DISK` when the bytes are not what was encoded under this key */
  decodeLease(key: string, bytes: Uint8Array): NodeLease {
    return this.#decode(key, bytes, nodeLease);
  }

  #encode<T>(key: string, value: T, field: Field<T>): Uint8Array {
    const w = this.#writer;
    w.u8(FORMAT);
    w.u32(0);
    const start = w.length;
    w.str(key);
    const bodyStart = w.length;
    field.write(w, value);
    const sum = this.#crc32(w.view(start));
    const body = w.view(bodyStart);
    const bytes = new Uint8Array(HEAD_BYTES + body.length);
    bytes.set(body, HEAD_BYTES);
    bytes[0] = FORMAT;
    new DataView(bytes.buffer).setUint32(1, sum, true);
    w.take();
    return bytes;
  }

  #decode<T>(key: string, bytes: Uint8Array, field: Field<T>): T {
    try {
      const reader = new ByteReader(bytes);
      const format = reader.u8();
      if (format !== FORMAT) throw new SojournError("E_DISK", `format ${format} is not known`);
      const sum = reader.u32();
      const body = reader.rest();
      const w = this.#writer;
      w.str(key);
      w.raw(body);
      const actual = this.#crc32(w.view());
      w.take();
      if (sum !== actual) throw new SojournError("E_DISK", "the checksum does not match");
      const bodyReader = new ByteReader(body);
      const value = field.read(bodyReader);
      bodyReader.end();
      return value;
    } catch (cause) {
      throw new SojournError("E_DISK", `the directory's entry for "${key}" is damaged`, { key }, cause);
    }
  }
}
