import type { Socket } from "node:net";
import type { Carrier, Link } from "./switchboard.js";

/** Bytes read ahead of what may pass; then the sender feels it. */
const MAX_AHEAD_BYTES = 1_048_576;

/** What comes out of one socket goes into another, in order, under the faults of a link. */
export class Flow implements Carrier {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #link: Link;
  readonly #waiting: { readonly dueMs: number; readonly bytes: Uint8Array }[] = [];
  #waitingBytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param first was read from the socket before */
  constructor(from: Socket, to: Socket, link: Link, first: Uint8Array | null) {
    this.#from = from;
    this.#to = to;
    this.#link = link;
    link.carriers.add(this);
    if (first !== null) this.#take(first);
    from.on("data", (bytes: Uint8Array) => this.#take(bytes));
    from.once("end", () => {
      this.#ended = true;
      this.#pass();
    });
    from.once("close", () => {
      link.carriers.delete(this);
      if (this.#timer !== null) clearTimeout(this.#timer);
      to.destroy();
    });
    to.on("drain", () => this.#pass());
  }

  changed(): void {
    this.#pass();
  }

  destroy(): void {
    this.#from.destroy();
  }

  #take(bytes: Uint8Array): void {
    this.#waiting.push({ dueMs: performance.now() + this.#link.faults.delayMs, bytes });
    this.#waitingBytes += bytes.length;
    this.#pass();
  }

  #pass(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = performance.now();
    while (!this.#link.faults.held && !this.#to.writableNeedDrain) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      if (next.dueMs > nowMs) {
        this.#timer = setTimeout(() => this.#pass(), next.dueMs - nowMs);
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
      this.#to.write(next.bytes);
    }
    if (this.#ended && this.#waiting.length === 0) this.#to.end();
    if (this.#waitingBytes > MAX_AHEAD_BYTES) this.#from.pause();
    else if (this.#from.isPaused()) this.#from.resume();
  }
}
