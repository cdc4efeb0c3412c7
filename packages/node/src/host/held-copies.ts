import type { SessionKey } from "@sojourn/core";

/** What a copy is taken to be as long as there is none to go by. */
const UNKNOWN_BYTES = 16_384;

/** Bytes that this node keeps in memory for sessions of other nodes. */
export class HeldCopies {
  readonly #max: number;
  readonly #bytes = new Map<SessionKey, number>();
  #total = 0;

  /** @param max bytes from which on no further copy is taken in */
  constructor(max: number) {
    this.#max = max;
  }

  /** What all copies take, as they were last measured. */
  get bytes(): number {
    return this.#total;
  }

  get full(): boolean {
    return this.#total >= this.#max;
  }

  /** Room for one more, besides so many that are on their way here and of whose size nothing is known yet. */
  hasRoom(coming: number): boolean {
    const each = this.#bytes.size === 0 ? UNKNOWN_BYTES : this.#total / this.#bytes.size;
    return this.#total + coming * each < this.#max;
  }

  /** Notes what a session's copy takes now; 0 when there is none any more. */
  note(key: SessionKey, bytes: number): void {
    this.#total += bytes - (this.#bytes.get(key) ?? 0);
    if (bytes === 0) this.#bytes.delete(key);
    else this.#bytes.set(key, bytes);
  }
}
