import { FRAME_HEAD_BYTES, writeFrameHead } from "./channel-frames.js";

const MIN_CHUNK_BYTES = 4_096;
const MAX_CHUNK_BYTES = 65_536;
/** Frames from this size on get a buffer of their own instead of filling a shared chunk. */
const OWN_BUFFER_BYTES = 32_768;

/** Gathers frames into few large buffers. A chunk is written to behind what was already taken, never over it. */
export class WriteBatch {
  #buffers: Uint8Array[] = [];
  #chunk: Uint8Array | null = null;
  #start = 0;
  #end = 0;
  #bytes = 0;

  /** Bytes gathered since the last `take`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the payload. */
  append(kind: number, payload: Uint8Array): void {
    const size = FRAME_HEAD_BYTES + payload.length;
    if (size >= OWN_BUFFER_BYTES) {
      const own = Buffer.allocUnsafeSlow(size);
      writeFrameHead(own, 0, kind, payload.length);
      own.set(payload, FRAME_HEAD_BYTES);
      this.appendWhole(own);
      return;
    }
    let chunk = this.#chunk;
    if (chunk === null || chunk.length - this.#end < size) {
      this.#seal();
      // An idle peer keeps a small chunk; one under load gets large ones.
      const wanted = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, this.#bytes * 2, size));
      chunk = Buffer.allocUnsafeSlow(wanted);
      this.#chunk = chunk;
      this.#start = 0;
      this.#end = 0;
    }
    writeFrameHead(chunk, this.#end, kind, payload.length);
    chunk.set(payload, this.#end + FRAME_HEAD_BYTES);
    this.#end += size;
    this.#bytes += size;
  }

  /** Takes over a whole frame; it must not be changed any more. */
  appendWhole(frame: Uint8Array): void {
    this.#seal();
    this.#buffers.push(frame);
    this.#bytes += frame.length;
  }

  /** All that was gathered, in order. */
  take(): readonly Uint8Array[] {
    this.#seal();
    const buffers = this.#buffers;
    this.#buffers = [];
    this.#bytes = 0;
    return buffers;
  }

  #seal(): void {
    if (this.#chunk === null || this.#end === this.#start) return;
    this.#buffers.push(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
