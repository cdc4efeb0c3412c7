import { SojournError } from "../errors/sojourn-error.js";

/** Reads the fields of a decoded list one after the other. Whatever is not as expected gives `E_CODEC_CORRUPT`. */
export class Row {
  readonly #fields: readonly unknown[];
  readonly #what: string;
  #at = 0;

  constructor(fields: unknown, what: string) {
    this.#what = what;
    if (!Array.isArray(fields)) throw this.#corrupt("is not a list");
    this.#fields = fields;
  }

  any(): unknown {
    if (this.#at >= this.#fields.length) throw this.#corrupt("is too short");
    return this.#fields[this.#at++];
  }

  /** A whole number ≥ 0. */
  int(): number {
    const value = this.any();
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.#corrupt("is not a whole number");
    return value as number;
  }

  /** A finite number ≥ 0. */
  num(): number {
    const value = this.any();
    if (typeof value !== "number" || !(value >= 0) || value === Number.POSITIVE_INFINITY) throw this.#corrupt("is not a number");
    return value;
  }

  numOrNull(): number | null {
    if (this.#fields[this.#at] !== null) return this.num();
    this.#at++;
    return null;
  }

  str(): string {
    const value = this.any();
    if (typeof value !== "string") throw this.#corrupt("is not a string");
    return value;
  }

  strOrNull(): string | null {
    if (this.#fields[this.#at] !== null) return this.str();
    this.#at++;
    return null;
  }

  bool(): boolean {
    const value = this.any();
    if (typeof value !== "boolean") throw this.#corrupt("is not a boolean");
    return value;
  }

  bytes(): Uint8Array {
    const value = this.any();
    if (!(value instanceof Uint8Array)) throw this.#corrupt("is not bytes");
    return value;
  }

  object(): object {
    const value = this.any();
    if (typeof value !== "object" || value === null) throw this.#corrupt("is not an object");
    return value;
  }

  list(): readonly unknown[] {
    const value = this.any();
    if (!Array.isArray(value)) throw this.#corrupt("is not a list");
    return value;
  }

  rows(): Row[] {
    return this.list().map((fields) => new Row(fields, this.#what));
  }

  #corrupt(problem: string): SojournError {
    return new SojournError("E_CODEC_CORRUPT", `field ${this.#at} of a ${this.#what} ${problem}`);
  }
}
