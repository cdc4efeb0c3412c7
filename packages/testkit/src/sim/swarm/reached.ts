/** Counts how often each named thing was reached. */
export class Reached {
  readonly #counts = new Map<string, number>();

  count(name: string, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
