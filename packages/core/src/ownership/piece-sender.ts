import type { NodeRef } from "../names.js";
import type { LiveCopy } from "../session/live-copy.js";
import type { ReplicaSource } from "./replica-source.js";

interface Sent {
  readonly seq: number;
  readonly array: number;
  readonly offset: number;
  readonly length: number;
}

/** A reply is asked for after this part of the window. */
const REPLIES_PER_WINDOW = 4;

/**
 * The owner's side of a live copy: sends the pieces within a window, keeps account of those that have arrived, and reads again what was
 * lost. A piece that is sent again gets a new number, for its bytes may have changed since.
 */
export class PieceSender {
  /** Names this copy; larger than that of any earlier one of the same owner. */
  readonly id: number;
  readonly copy: LiveCopy;
  readonly #source: ReplicaSource;
  readonly #peer: NodeRef;
  readonly #windowBytes: number;
  #unacked: Sent[] = [];
  #unackedBytes = 0;
  #unaskedBytes = 0;
  #lastSeq = 0;
  #floor = 1;
  #acked = 0;
  #sentBytes = 0;
  /** True when something arrived since the owner last set it to false. */
  advanced = false;

  constructor(source: ReplicaSource, peer: NodeRef, copy: LiveCopy) {
    this.#source = source;
    this.#peer = peer;
    this.copy = copy;
    this.id = source.host.nextRequest();
    const { bulkWindowBytes, bulkChunkBytes } = source.host.limits;
    this.#windowBytes = Math.max(bulkWindowBytes, bulkChunkBytes * REPLIES_PER_WINDOW);
  }

  /** How many pieces make up the copy so far. */
  get pieces(): number {
    return this.#lastSeq;
  }

  /** Pieces that were sent and have not been confirmed. */
  get unconfirmed(): boolean {
    return this.#unacked.length > 0;
  }

  /** Anything of it is there. */
  get begun(): boolean {
    return this.#acked > 0;
  }

  /** What was written meanwhile has cost more than the whole, several times over: it will not catch up. */
  get hopeless(): boolean {
    return this.#sentBytes > this.copy.arrayBytes * 4;
  }

  /**
   * Sends what there is room for: all of it, or until a reply opens the window, or until the way takes more. Not while a turn is in hand.
   */
  send(): "all" | "window" | "blocked" {
    const { host, key, epoch } = this.#source;
    const chunkBytes = host.limits.bulkChunkBytes;
    while (this.#unackedBytes < this.#windowBytes) {
      const next = this.copy.next(chunkBytes);
      if (next === null) return "all";
      const { array, arrayBytes, offset, bytes } = next;
      const seq = this.#lastSeq + 1;
      const reply = this.#unaskedBytes + bytes.length >= this.#windowBytes / REPLIES_PER_WINDOW;
      const { id: copy } = this;
      const outcome = host.send(this.#peer, "bulk", {
        t: "piece",
        session: key,
        epoch,
        copy,
        seq,
        floor: this.#floor,
        array,
        arrayBytes,
        offset,
        chunk: bytes,
        reply,
      });
      if (outcome !== "queued") {
        this.copy.again(array, offset, bytes.length);
        return "blocked";
      }
      this.#lastSeq = seq;
      this.#unacked.push({ seq, array, offset, length: bytes.length });
      this.#unackedBytes += bytes.length;
      this.#unaskedBytes = reply ? 0 : this.#unaskedBytes + bytes.length;
      this.#sentBytes += bytes.length;
    }
    return "window";
  }

  /** All pieces up to `seq` are there. */
  onArrived(seq: number): void {
    if (seq <= this.#acked || seq > this.#lastSeq) return;
    this.#acked = seq;
    this.advanced = true;
    const arrived = this.#unacked.findIndex((sent) => sent.seq > seq);
    for (const { length } of this.#unacked.splice(0, arrived < 0 ? this.#unacked.length : arrived)) this.#unackedBytes -= length;
  }

  /** Whatever is not confirmed may be lost. */
  readAgain(): void {
    for (const { array, offset, length } of this.#unacked) this.copy.again(array, offset, length);
    this.#unacked = [];
    this.#unackedBytes = 0;
    this.#unaskedBytes = 0;
    this.#floor = this.#lastSeq + 1;
  }
}
