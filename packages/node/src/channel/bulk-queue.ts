import { SojournError } from "@sojourn/core";

/**
 * Bulk frames that wait for credit. At most `windowBytes` are on their way without a credit, so that neither the kernel nor the
 * receiver holds more; a frame larger than the window goes alone.
 */
export class BulkQueue {
  readonly #windowBytes: number;
  #frames: (Uint8Array | undefined)[] = [];
  #head = 0;
  #queuedBytes = 0;
  #inFlightBytes = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** Bytes that still wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes handed out and not yet credited. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#queuedBytes += frame.length;
  }

  /** The next frame that may be sent now, or null. */
  next(): Uint8Array | null {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return null;
    if (this.#inFlightBytes !== 0 && this.#inFlightBytes + frame.length > this.#windowBytes) return null;
    this.#frames[this.#head++] = undefined;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    this.#queuedBytes -= frame.length;
    this.#inFlightBytes += frame.length;
    return frame;
  }

  /** @throws SojournError `E_FRAME_MALFORMED` for more than is under way. */
  credit(bytes: number): void {
    if (bytes > this.#inFlightBytes) throw new SojournError("E_FRAME_MALFORMED", "credit for bytes that were not sent");
    this.#inFlightBytes -= bytes;
  }
}
