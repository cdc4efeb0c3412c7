import type { SessionLink, SessionLinks } from "./context.js";
import type { Turn } from "./turn.js";

/** The links as they are at this point of the turn in hand. */
export class TurnLinks implements SessionLinks {
  readonly #turn: Turn;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  get size(): number {
    const turn = this.#turn;
    turn.use();
    const { joining, removals, body } = turn;
    const all = body.links.byId.size + (joining === null ? 0 : 1);
    return all - removals.length;
  }

  get(id: string): SessionLink | undefined {
    this.#turn.use();
    return this.#turn.find(id)?.view;
  }

  has(id: string): boolean {
    this.#turn.use();
    return this.#turn.find(id) !== undefined;
  }

  *[Symbol.iterator](): IterableIterator<SessionLink> {
    const turn = this.#turn;
    turn.use();
    for (const link of turn.body.links.byId.values()) if (!link.leaving) yield link.view;
    const { joining } = turn;
    if (joining !== null && !joining.leaving) yield joining.view;
  }
}
