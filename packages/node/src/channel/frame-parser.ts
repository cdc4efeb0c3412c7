import { SojournError } from "@sojourn/core";

/** Takes one frame: its kind is at `start`, its payload up to `end`. False ends the parsing; the rest is dropped. */
export type FrameSink = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Cuts a stream into length-prefixed frames, wherever the stream is split. A frame that lies whole in one chunk is not copied;
 * the bytes handed out are only valid during the call.
 */
export class FrameParser {
  /** Largest body accepted; may be raised between frames. */
  maxBodyBytes: number;
  readonly #sink: FrameSink;
  /** A frame that comes in parts is put together where the one before was; its bytes must not be kept then, as those of other frames may. */
  reuseBodies = false;
  #scratch: Uint8Array = new Uint8Array(0);
  readonly #head = new Uint8Array(4);
  #headBytes = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;

  constructor(maxBodyBytes: number, sink: FrameSink) {
    this.maxBodyBytes = maxBodyBytes;
    this.#sink = sink;
  }

  /** @throws SojournError `E_FRAME_TOO_LARGE` or `E_FRAME_MALFORMED`; the parser cannot be used afterwards. */
  push(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#body !== null) {
        at = this.#fillBody(this.#body, chunk, at);
        if (this.#bodyBytes < this.#body.length) return;
        const body = this.#body;
        this.#body = null;
        if (!this.#sink(body, 0, body.length)) return;
        continue;
      }
      if (this.#headBytes === 0 && end - at >= 4) {
        const size = this.#checked(readU32(chunk, at));
        if (end - at - 4 >= size) {
          const start = at + 4;
          at = start + size;
          if (!this.#sink(chunk, start, at)) return;
        } else {
          this.#startBody(size);
          at += 4;
        }
        continue;
      }
      this.#head[this.#headBytes++] = chunk[at++] as number;
      if (this.#headBytes === 4) {
        this.#headBytes = 0;
        this.#startBody(this.#checked(readU32(this.#head, 0)));
      }
    }
  }

  #checked(size: number): number {
    if (size === 0) throw new SojournError("E_FRAME_MALFORMED", "empty frame");
    if (size > this.maxBodyBytes) {
      throw new SojournError("E_FRAME_TOO_LARGE", `frame of ${size} bytes; the limit is ${this.maxBodyBytes}`, { bytes: size });
    }
    return size;
  }

  #startBody(size: number): void {
    // Handed out only when every byte has been written.
    if (this.reuseBodies) {
      if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(size);
      this.#body = this.#scratch.subarray(0, size);
    } else {
      this.#body = Buffer.allocUnsafe(size);
    }
    this.#bodyBytes = 0;
  }

  #fillBody(body: Uint8Array, chunk: Uint8Array, at: number): number {
    const count = Math.min(body.length - this.#bodyBytes, chunk.length - at);
    body.set(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count), this.#bodyBytes);
    this.#bodyBytes += count;
    return at + count;
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return low + (bytes[at + 3] as number) * 0x1_00_00_00;
}
