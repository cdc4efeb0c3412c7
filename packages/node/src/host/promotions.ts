import type { Priority } from "@sojourn/core";

/** Begins one take-over; `done` is called once when it has ended, however. */
export type TakeOver = (done: () => void) => void;

const ORDER: readonly Priority[] = ["critical", "normal", "anonymous"];

/**
 * Take-overs from nodes that were lost, a bounded number at a time. When a node dies that owned ten thousand sessions, each of its
 * heirs has thousands to promote at once: what matters most goes first, and the directory is not flooded.
 */
export class Promotions {
  readonly #max: number;
  readonly #waiting: Readonly<Record<Priority, TakeOver[]>> = { critical: [], normal: [], anonymous: [] };
  #inFlight = 0;
  #done = 0;
  #onSuspicion = 0;

  /** @param max take-overs at the same time */
  constructor(max: number) {
    this.#max = max;
  }

  /** Sessions that were taken over, and how many of them from nodes that were only suspected. */
  get counts(): { readonly promoted: number; readonly promotedOnSuspicion: number } {
    return { promoted: this.#done, promotedOnSuspicion: this.#onSuspicion };
  }

  count(onSuspicion: boolean): void {
    this.#done++;
    if (onSuspicion) this.#onSuspicion++;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Take-overs that wait for their turn. */
  get waiting(): number {
    return ORDER.reduce((sum, priority) => sum + this.#waiting[priority].length, 0);
  }

  /** Begins when it is its turn: by priority, then in the order of asking. */
  submit(priority: Priority, takeOver: TakeOver): void {
    if (this.#inFlight < this.#max) this.#start(takeOver);
    else this.#waiting[priority].push(takeOver);
  }

  /** Nothing that waits will begin any more. */
  stop(): void {
    for (const priority of ORDER) this.#waiting[priority].length = 0;
  }

  #start(takeOver: TakeOver): void {
    this.#inFlight++;
    let over = false;
    takeOver(() => {
      if (over) return;
      over = true;
      this.#inFlight--;
      this.#next();
    });
  }

  #next(): void {
    for (const priority of ORDER) {
      const takeOver = this.#waiting[priority].shift();
      if (takeOver === undefined) continue;
      this.#start(takeOver);
      return;
    }
  }
}
