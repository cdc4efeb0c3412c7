import { encodeUtf8 } from "./utf8.js";

/** Appends primitives to a growing buffer. Integers are little-endian or unsigned LEB128; strings are length + UTF-8. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Unsigned LEB128 of a safe integer (1–8 bytes). */
  uint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  str(value: string): void {
    // Short ASCII strings (names, keys) dominate: write them without the encoder.
    const count = value.length;
    if (count < 0x80) {
      const at = this.#reserve(count + 1);
      const bytes = this.#bytes;
      bytes[at] = count;
      let i = 0;
      for (; i < count; i++) {
        const code = value.charCodeAt(i);
        if (code >= 0x80) break;
        bytes[at + 1 + i] = code;
      }
      if (i === count) return;
      this.#length = at;
    }
    this.bytes(encodeUtf8(value));
  }

  bytes(value: Uint8Array): void {
    this.uint(value.length);
    this.raw(value);
  }

  /** Bytes without a length before them. */
  raw(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Overwrites four bytes written earlier. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** What was written from `start` on; valid until the next write. */
  view(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** Starts again empty; views of what was written are void. */
  clear(): void {
    this.#length = 0;
  }

  /** A copy of what was written; the writer starts again empty. */
  take(): Uint8Array {
    const copy = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return copy;
  }
}
