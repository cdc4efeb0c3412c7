const PAGE_BYTES = 4_096;
/** More than a window holds at the usual size of a chunk; what comes back beyond it is left to the collector. */
const MAX_FREE = 64;

/**
 * Buffers for large frames of one size, used again once the kernel has taken them: fresh memory costs more than what is copied into it.
 */
export class FramePool {
  #free: Uint8Array<ArrayBuffer>[] = [];
  #capacity = 0;

  /** A buffer of this length; its contents are not defined. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const capacity = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    if (capacity !== this.#capacity) {
      this.#capacity = capacity;
      this.#free = [];
    }
    const whole = this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(capacity).buffer as ArrayBuffer);
    return whole.subarray(0, bytes);
  }

  /** Takes one back; nobody may look at it any more. */
  give(frame: Uint8Array): void {
    if (frame.buffer.byteLength !== this.#capacity || this.#free.length >= MAX_FREE) return;
    this.#free.push(new Uint8Array(frame.buffer as ArrayBuffer));
  }

  /** Keeps no memory for later. */
  clear(): void {
    this.#free = [];
  }

  /** Buffers that wait for their next use. */
  get free(): number {
    return this.#free.length;
  }
}
