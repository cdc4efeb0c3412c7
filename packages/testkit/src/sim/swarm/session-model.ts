import type { NodeRef } from "@sojourn/core";
import { ReleasedTurns } from "./released-turns.js";
import type { Stamp } from "./swarm-session.js";

/** What is known for certain of one session, from what was released to its clients and written to its record. */
export class SessionModel {
  readonly key: string;
  readonly #problem: (text: string) => void;
  /** Per life of the session, the sum that was shown after each number of messages. */
  readonly #lives = new Map<number, Map<number, number>>();
  readonly #greatest = new Map<number, number>();
  /** What its owners have released. */
  readonly releases = new ReleasedTurns();
  /** Who has acted as owner in each epoch. */
  readonly owners = new Map<number, NodeRef>();
  /** Hand-overs that stand in the record, by node ids. */
  readonly commits: { readonly from: string; readonly to: string; readonly atMs: number }[] = [];
  /** Its lives that have ended, by its record. */
  readonly endedLives = new Set<number>();
  /** How often all who held the session were gone, so that it began anew. */
  lost = 0;
  /** Times its record says that it ended. */
  ended = 0;
  /** Two owners may act for a moment, but only one may release. */
  suspicion = false;
  /** The present life, once anything of it was shown. */
  life: number | null = null;
  /** Nodes that act as its owner at the present step. */
  acting = 0;
  step = 0;

  constructor(key: string, problem: (text: string) => void) {
    this.key = key;
    this.#problem = problem;
  }

  /** Something was shown to a client [I2]. */
  shown({ life, at, sum }: Stamp, to: string): void {
    let sums = this.#lives.get(life);
    if (sums === undefined) {
      if (this.life !== null && this.lost === 0 && this.ended === 0)
        this.#problem(`I2: ${this.key} shows ${to} a new life although it was never lost`);
      sums = new Map();
      this.#lives.set(life, sums);
      this.life = life;
    }
    const before = sums.get(at);
    if (before === undefined) sums.set(at, sum);
    else if (before !== sum) this.#problem(`I2: ${this.key} contradicts itself: ${to} is shown another turn ${at} than was shown before`);
    if (at > (this.#greatest.get(life) ?? 0)) this.#greatest.set(life, at);
  }

  /** It goes on at a node that had not run it. */
  wakes(life: number): void {
    if (this.endedLives.has(life)) this.#problem(`I4: ${this.key} goes on in a life that has ended`);
  }

  /** At the end the session must contain all that it has ever shown. */
  finally({ life, at, sum }: Stamp): void {
    const greatest = this.#greatest.get(life) ?? 0;
    if (this.life !== null && life !== this.life && this.lost === 0 && this.ended === 0)
      this.#problem(`I2: ${this.key} has another life at the end although it was never lost`);
    if (at < greatest) this.#problem(`I2: ${this.key} has ${at} messages at the end but has shown ${greatest}`);
    const shown = this.#lives.get(life)?.get(at);
    if (shown !== undefined && shown !== sum) this.#problem(`I2: ${this.key} contradicts at the end what it has shown`);
  }
}
