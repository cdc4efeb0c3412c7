/** The endpoints a client knows: those it was given and those it was told of. A ring with the next one to try. */
export class Endpoints {
  readonly #given: number;
  readonly #max: number;
  readonly #ring: string[];
  #next = 0;

  constructor(given: readonly string[], max: number) {
    this.#ring = [...new Set(given)];
    this.#given = this.#ring.length;
    this.#max = max;
  }

  /** Learns of an endpoint and tries it next, or, with `avoid`, tries the one after it next. The oldest learned one makes room. */
  prefer(endpoint: string, avoid = false): void {
    let at = this.#ring.indexOf(endpoint);
    if (at < 0) {
      if (this.#ring.length >= Math.max(this.#max, this.#given + 1)) this.#ring.splice(this.#given, 1);
      at = this.#ring.push(endpoint) - 1;
    }
    this.#next = avoid ? at + 1 : at;
  }

  /** The endpoint to try now. */
  take(): string {
    const at = this.#next % this.#ring.length;
    this.#next = at + 1;
    return this.#ring[at] as string;
  }
}
