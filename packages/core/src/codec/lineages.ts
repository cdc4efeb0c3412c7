import { SojournError } from "../errors/sojourn-error.js";

/** An encoder's table as far as it is known here. */
export interface Lineage {
  readonly name: string;
  /** `name` in UTF-8, to find it again without decoding the name. */
  readonly bytes: Uint8Array;
  readonly shapes: (readonly string[])[];
}

/** The tables of other encoders, the least recently used dropped beyond a bound. */
export class Lineages {
  readonly #max: number;
  /** In order of use, the latest last. */
  readonly #byName = new Map<string, Lineage>();
  #latest: Lineage | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** The latest one when its name is these bytes: the usual case, without a look-up. */
  latestNamed(bytes: Uint8Array, at: number, count: number): Lineage | null {
    const latest = this.#latest;
    return latest !== null && sameBytes(latest.bytes, bytes, at, count) ? latest : null;
  }

  get(name: string): Lineage | null {
    const found = this.#byName.get(name);
    if (found === undefined) return null;
    this.#byName.delete(name);
    this.#byName.set(name, found);
    this.#latest = found;
    return found;
  }

  /**
   * Learns the first shapes of a lineage. What is known already stays as it is.
   * @throws SojournError `E_CODEC_CORRUPT` when they contradict what is known
   */
  learn(name: string, bytes: Uint8Array, shapes: (readonly string[])[]): void {
    const known = this.get(name);
    if (known === null) {
      this.#latest = { name, bytes, shapes };
      this.#byName.set(name, this.#latest);
      if (this.#byName.size > this.#max) this.#byName.delete(this.#byName.keys().next().value as string);
      return;
    }
    const overlap = Math.min(known.shapes.length, shapes.length);
    for (let i = 0; i < overlap; i++) {
      if (!sameKeys(known.shapes[i] ?? [], shapes[i] ?? [])) {
        throw new SojournError("E_CODEC_CORRUPT", `table "${name}" contradicts the one that is known`, { lineage: name });
      }
    }
    for (const shape of shapes.slice(overlap)) known.shapes.push(shape);
  }
}

/** Whether `count` bytes from `at` on are `expected`. */
export function sameBytes(expected: Uint8Array, bytes: Uint8Array, at: number, count: number): boolean {
  if (expected.length !== count) return false;
  for (let i = 0; i < count; i++) if (expected[i] !== bytes[at + i]) return false;
  return true;
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i]);
}
