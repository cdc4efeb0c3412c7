import { SojournError } from "../errors/sojourn-error.js";
import { decodeUtf8 } from "./utf8.js";

/** Reads what ByteWriter wrote. Every read is checked against the end: cut or malformed bytes give `E_FRAME_MALFORMED`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw new SojournError("E_FRAME_MALFORMED", "frame is cut short");
    this.#at = at + count;
    return at;
  }

  u8(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new SojournError("E_FRAME_MALFORMED", "integer is out of range");
  }

  str(): string {
    const bytes = this.bytes();
    const count = bytes.length;
    if (count < 64) {
      let ascii = "";
      let i = 0;
      for (; i < count; i++) {
        const code = bytes[i] as number;
        if (code >= 0x80) break;
        ascii += String.fromCharCode(code);
      }
      if (i === count) return ascii;
    }
    try {
      return decodeUtf8(bytes);
    } catch (cause) {
      throw new SojournError("E_FRAME_MALFORMED", "string is not UTF-8", {}, cause);
    }
  }

  /** A view into the frame, not a copy. */
  bytes(): Uint8Array {
    const count = this.uint();
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** Everything up to the end. */
  rest(): Uint8Array {
    const at = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(at);
  }

  /** @throws SojournError `E_FRAME_MALFORMED` when bytes are left over. */
  end(): void {
    if (this.remaining !== 0) throw new SojournError("E_FRAME_MALFORMED", `${this.remaining} bytes too many`);
  }
}
