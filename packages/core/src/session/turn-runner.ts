import { SojournError } from "../errors/sojourn-error.js";
import type { TurnScope } from "../ports/turn-scope.js";
import type { Turn } from "./turn.js";

/**
 * Runs the programs of turns, step by step. The turns of a kind that has asynchronous handlers run inside their scope: while one of them
 * waits, other code runs, and must not pass for it. In a synchronous turn no other code can run, so kinds without asynchronous
 * handlers do without: following a scope makes every callback and every promise of the process dearer.
 */
export class TurnRunner {
  readonly #scope: TurnScope;
  #scoped: boolean;
  #turn: Turn | null = null;
  #failed = false;
  #value: unknown;

  /** @param scoped whether some handler of the kind is known to be asynchronous */
  constructor(scope: TurnScope, scoped: boolean) {
    this.#scope = scope;
    this.#scoped = scoped;
  }

  /** Begins the turn's program; gives what it waits for, or null when it has ended. */
  start(turn: Turn): Promise<unknown> | null {
    turn.scoped = this.#scoped;
    const awaited = this.step(turn, false, undefined);
    if (awaited !== null) {
      turn.async = true;
      // A plain function has returned a promise. This turn cannot be told from other code any more; the next ones will be.
      this.#scoped = true;
    }
    return awaited;
  }

  /** Goes on with the turn's program, with a value or an error; gives what it waits for, or null when it has ended. */
  step(turn: Turn, failed: boolean, value: unknown): Promise<unknown> | null {
    this.#turn = turn;
    this.#failed = failed;
    this.#value = value;
    return turn.scoped ? this.#scope.run(turn, this.#advance) : this.#advance();
  }

  readonly #advance = (): Promise<unknown> | null => {
    const program = this.#turn?.program;
    if (program === null || program === undefined) throw new SojournError("E_INTERNAL", "a turn without a program was started");
    const value = this.#value;
    this.#turn = null;
    this.#value = undefined;
    const { done, value: awaited } = this.#failed ? program.throw(value) : program.next(value);
    return done === true ? null : Promise.resolve(awaited);
  };
}
