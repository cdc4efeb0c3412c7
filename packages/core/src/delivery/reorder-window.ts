/**
 * What became of a message. `delivered`: it and all parked ones that followed it were handed over. `parked`: an earlier one
 * is missing. `duplicate`: seen before. `dropped`: too far ahead to be parked; its sender sends it again.
 */
export type Arrival = "delivered" | "parked" | "duplicate" | "dropped";

/**
 * Puts numbered messages back in order and hands each over exactly once. Messages up to `maxParked` numbers ahead of the
 * missing one are kept. `deliver` must not throw; it may call `reset`.
 */
export class ReorderWindow<T> {
  readonly #maxParked: number;
  readonly #deliver: (item: T, seq: number) => void;
  readonly #parked = new Map<number, T>();
  #next: number;

  constructor(maxParked: number, deliver: (item: T, seq: number) => void, next = 1) {
    this.#maxParked = maxParked;
    this.#deliver = deliver;
    this.#next = next;
  }

  /** The number that is waited for. */
  get next(): number {
    return this.#next;
  }

  /** How many messages wait for an earlier one. */
  get parked(): number {
    return this.#parked.size;
  }

  accept(seq: number, item: T): Arrival {
    if (seq === this.#next) {
      this.#next = seq + 1;
      this.#deliver(item, seq);
      if (this.#parked.size !== 0) this.#release();
      return "delivered";
    }
    if (seq < this.#next || this.#parked.has(seq)) return "duplicate";
    if (seq - this.#next > this.#maxParked) return "dropped";
    this.#parked.set(seq, item);
    return "parked";
  }

  #release(): void {
    for (;;) {
      const seq = this.#next;
      const item = this.#parked.get(seq);
      if (item === undefined && !this.#parked.has(seq)) return;
      this.#parked.delete(seq);
      this.#next = seq + 1;
      this.#deliver(item as T, seq);
    }
  }

  /** Forgets what is parked; `next` is waited for from now on. */
  reset(next: number): void {
    this.#parked.clear();
    this.#next = next;
  }
}
