import { SojournError } from "../errors/sojourn-error.js";
import type { Crc32 } from "../ports/checksum.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";

/** Puts the chunks of one snapshot together; a checksum over the whole decides before anything is made of it [14]. */
export class BaseAssembly {
  readonly epoch: number;
  readonly version: number;
  readonly hash: number;
  readonly totalBytes: number;
  readonly #copy: number;
  readonly #crc: number;
  readonly #bytes: Uint8Array;
  #filled = 0;

  /** @throws SojournError `E_FRAME_TOO_LARGE` */
  constructor(first: PeerMessageOf<"base">, maxBytes: number) {
    if (first.totalBytes > maxBytes) throw new SojournError("E_FRAME_TOO_LARGE", `snapshot of ${first.totalBytes} bytes`);
    this.epoch = first.epoch;
    this.version = first.version;
    this.hash = first.hash;
    this.totalBytes = first.totalBytes;
    this.#copy = first.copy;
    this.#crc = first.crc;
    this.#bytes = new Uint8Array(first.totalBytes);
  }

  /** Whether the chunk belongs to the same snapshot. */
  matches(chunk: PeerMessageOf<"base">): boolean {
    return (
      chunk.epoch === this.epoch &&
      chunk.version === this.version &&
      chunk.hash === this.hash &&
      chunk.crc === this.#crc &&
      chunk.copy === this.#copy &&
      chunk.totalBytes === this.totalBytes
    );
  }

  /**
   * Adds a chunk; chunks come in order, and what was there before may come again.
   * @returns the whole snapshot once it is complete, null before
   * @throws SojournError `E_FRAME_MALFORMED` for a gap or an overrun, `E_FRAME_CHECKSUM` when the whole is damaged
   */
  add(chunk: PeerMessageOf<"base">, crc32: Crc32): Uint8Array | null {
    const { offset, chunk: bytes } = chunk;
    if (offset > this.#filled || offset + bytes.length > this.#bytes.length) {
      throw new SojournError("E_FRAME_MALFORMED", "snapshot chunk out of place");
    }
    this.#bytes.set(bytes, offset);
    this.#filled = Math.max(this.#filled, offset + bytes.length);
    if (this.#filled < this.#bytes.length) return null;
    if (crc32(this.#bytes) !== this.#crc) throw new SojournError("E_FRAME_CHECKSUM", "snapshot is damaged");
    return this.#bytes;
  }
}
