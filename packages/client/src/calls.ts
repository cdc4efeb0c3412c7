import { type Scheduled, SojournError } from "@sojourn/core";
import type { ClientEnv } from "./ports.js";

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SojournError) => void;
  readonly deadlineMs: number;
}

/** Calls that wait for their answer. Each settles once: by its answer, its timeout, or the end of its link. */
export class Calls {
  readonly #env: ClientEnv;
  /** By input number, so also in order of deadline: every call waits equally long. */
  readonly #open = new Map<number, Call>();
  #timer: Scheduled | undefined;

  constructor(env: ClientEnv) {
    this.#env = env;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The answer to input `seq`. */
  add(seq: number): Promise<unknown> {
    const { clock, limits } = this.#env;
    return new Promise((resolve, reject) => {
      this.#open.set(seq, { resolve, reject, deadlineMs: clock.now() + limits.callTimeoutMs });
      this.#timer ??= clock.schedule(limits.callTimeoutMs, this.#expire);
    });
  }

  /** Settles a call that is still open; an answer that nobody waits for any more is dropped. */
  settle(seq: number, answer: unknown, error?: SojournError): void {
    const call = this.#open.get(seq);
    if (call === undefined) return;
    this.#open.delete(seq);
    if (error === undefined) call.resolve(answer);
    else call.reject(error);
  }

  /** Ends all open calls: what became of them is unknown. */
  fail(error: SojournError): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const seq of this.#open.keys()) this.settle(seq, undefined, error);
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const { clock } = this.#env;
    for (const [seq, { deadlineMs }] of this.#open) {
      const leftMs = deadlineMs - clock.now();
      if (leftMs > 0) {
        this.#timer = clock.schedule(leftMs, this.#expire);
        break;
      }
      this.settle(seq, undefined, new SojournError("E_CALL_TIMEOUT"));
    }
  };
}
