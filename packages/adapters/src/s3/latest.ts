/** Remembers a value for each of the keys that were set last, a bounded number. */
export class Latest<V> {
  readonly #max: number;
  /** The newest is last. */
  readonly #values = new Map<string, V>();

  /** @param max keys */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    const oldest = this.#values.keys().next().value;
    if (this.#values.size > this.#max && oldest !== undefined) this.#values.delete(oldest);
  }

  forget(key: string): void {
    this.#values.delete(key);
  }
}
