import type { PeerMessageOf } from "../wire/peer-messages.js";

/** Inputs that came before their predecessors, per link, bounded; what does not fit the client sends again. */
export class ParkedInputs {
  readonly #perLink: number;
  readonly #links = new Map<string, Map<number, PeerMessageOf<"input">>>();

  constructor(perLink: number) {
    this.#perLink = perLink;
  }

  /** Links that have something parked. */
  get size(): number {
    return this.#links.size;
  }

  park(input: PeerMessageOf<"input">): void {
    let parked = this.#links.get(input.link);
    if (parked === undefined) {
      parked = new Map();
      this.#links.set(input.link, parked);
    }
    if (parked.size < this.#perLink) parked.set(input.seq, input);
  }

  /** Takes the input of this number out, and forgets what came before it. */
  next(link: string, seq: number): PeerMessageOf<"input"> | null {
    const parked = this.#links.get(link);
    if (parked === undefined) return null;
    const found = parked.get(seq) ?? null;
    for (const number of [...parked.keys()]) if (number <= seq) parked.delete(number);
    if (parked.size === 0) this.#links.delete(link);
    return found;
  }

  forget(link: string): void {
    this.#links.delete(link);
  }

  takeAll(): PeerMessageOf<"input">[] {
    const all: PeerMessageOf<"input">[] = [];
    for (const parked of this.#links.values()) all.push(...[...parked.values()].sort((a, b) => a.seq - b.seq));
    this.#links.clear();
    return all;
  }
}
