import type { TurnScope } from "@sojourn/core";

/**
 * A turn's scope without the cost of following every promise. It follows a turn through what `restore` is called for: simulated
 * input and output, which is all that simulated handlers wait for.
 */
export class SimScope implements TurnScope {
  #current: object | undefined;

  run<T>(turn: object, fn: () => T): T {
    const before = this.#current;
    this.#current = turn;
    try {
      return fn();
    } finally {
      this.#current = before;
    }
  }

  current(): object | undefined {
    return this.#current;
  }

  /** What resumes next belongs to this turn. */
  restore(turn: object | undefined): void {
    this.#current = turn;
  }
}
