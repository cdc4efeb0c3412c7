import { SojournError } from "../errors/sojourn-error.js";
import type { TurnScope } from "../ports/turn-scope.js";
import type { Turn } from "./turn.js";

/**
 * Runs the programs of turns, step by step, each step inside the turn's scope. Every step is: entering a scope costs tens of
 * nanoseconds, and whether a handler will turn out to be asynchronous cannot be known before it runs. Checking the scope costs
 * too, so that is done only while an asynchronous turn is in hand; during a synchronous one no other code can run.
 */
export class TurnRunner {
  readonly #scope: TurnScope;
  #turn: Turn | null = null;
  #failed = false;
  #value: unknown;

  constructor(scope: TurnScope) {
    this.#scope = scope;
  }

  /** Goes on with the turn's program, with a value or an error; gives what it waits for, or null when it has ended. */
  step(turn: Turn, failed: boolean, value: unknown): Promise<unknown> | null {
    this.#turn = turn;
    this.#failed = failed;
    this.#value = value;
    return this.#scope.run(turn, this.#advance);
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
