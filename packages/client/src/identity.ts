import type { Random } from "@sojourn/core";

/**
 * Who the client is to its session: a link of its own choosing and the tokens that prove it. A hello whose welcome got
 * lost is said again with the same pair; once welcomed, the next token becomes the present one.
 */
export class Identity {
  readonly link: string;
  /** True once a welcome was received. */
  known = false;
  /** Of the latest welcome; 0 before any. */
  generation = 0;
  token: string;
  nextToken: string;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.link = secret(random);
    this.token = secret(random);
    this.nextToken = secret(random);
  }

  /** The latest hello was welcomed. */
  confirm(generation: number): void {
    this.known = true;
    this.generation = generation;
    this.token = this.nextToken;
    this.nextToken = secret(this.#random);
  }
}

/** 144 bits as 36 hexadecimal digits. */
function secret(random: Random): string {
  let text = "";
  for (const byte of random.bytes(18)) text += byte.toString(16).padStart(2, "0");
  return text;
}
