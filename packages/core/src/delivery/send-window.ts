import { SojournError } from "../errors/sojourn-error.js";

/**
 * Numbered outgoing messages, kept until a cumulative acknowledgement covers them. Numbers start at `next` (1 for a new
 * link), have no gaps and are never used twice.
 */
export class SendWindow<T> {
  readonly #maxMessages: number;
  /** Unacknowledged messages in order from `#head` on; what is before it has been acknowledged. */
  #items: (T | undefined)[] = [];
  #head = 0;
  #acked: number;

  constructor(maxMessages: number, next = 1) {
    this.#maxMessages = maxMessages;
    this.#acked = next - 1;
  }

  /** Highest number that is acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** Highest number that was given out. */
  get last(): number {
    return this.#acked + this.size;
  }

  /** Messages that wait for their acknowledgement. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /**
   * Numbers a message and keeps it.
   * @throws SojournError `E_QUEUE_FULL` at the bound, `E_SEQUENCE_INVALID` when the numbers are used up; nothing is kept then
   */
  push(item: T): number {
    if (this.size >= this.#maxMessages) {
      throw new SojournError("E_QUEUE_FULL", `${this.#maxMessages} messages wait for their acknowledgement`, { limit: this.#maxMessages });
    }
    if (this.last >= Number.MAX_SAFE_INTEGER) throw new SojournError("E_SEQUENCE_INVALID", "the numbers of this link are used up");
    this.#items.push(item);
    return this.last;
  }

  /**
   * Drops everything up to `seq` and returns how many messages that were. An old acknowledgement drops nothing.
   * @throws SojournError `E_SEQUENCE_INVALID` for a number that was never given out; nothing is dropped then
   */
  ack(seq: number): number {
    if (seq > this.last) throw new SojournError("E_SEQUENCE_INVALID", `${seq} was acknowledged, ${this.last} is the last one sent`);
    const count = seq - this.#acked;
    if (count <= 0) return 0;
    const end = this.#head + count;
    this.#items.fill(undefined, this.#head, end);
    this.#head = end;
    this.#acked = seq;
    // Moving the rest down costs its length; doing so once the dead half is the larger one makes it constant per message.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return count;
  }

  /** Shows every kept message from number `from` on, up to `to`, in order: what has to be sent again. */
  resend(from: number, send: (seq: number, item: T) => void, to = Number.POSITIVE_INFINITY): void {
    const first = Math.max(from, this.#acked + 1);
    const last = Math.min(this.last, to);
    for (let seq = first; seq <= last; seq++) {
      // A `send` that acknowledges or resets (a synchronous peer, a failing socket) moves the window under this loop.
      const at = this.#head + seq - this.#acked - 1;
      if (at >= this.#head && at < this.#items.length) send(seq, this.#items[at] as T);
    }
  }

  /** Forgets everything; the next message gets the number `next`. */
  reset(next: number): void {
    this.#items = [];
    this.#head = 0;
    this.#acked = next - 1;
  }
}
