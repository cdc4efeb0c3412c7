import type { SessionEnv } from "./types.js";

/** Work that handlers registered with `ctx.waitUntil` and that a move of the session waits for. */
export class WaitedWork {
  readonly #session: string;
  readonly #env: SessionEnv;
  #pending = 0;
  #idle: (() => void)[] = [];

  constructor(session: string, env: SessionEnv) {
    this.#session = session;
    this.#env = env;
  }

  get pending(): number {
    return this.#pending;
  }

  /** A rejection is reported and otherwise counts as settled. */
  add(work: PromiseLike<unknown>): void {
    this.#pending++;
    work.then(
      () => this.#settled(),
      (error: unknown) => {
        this.#env.onHandlerError?.(this.#session, "waitUntil", error);
        this.#settled();
      },
    );
  }

  /** Resolves when nothing is pending. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #settled(): void {
    this.#pending--;
    if (this.#pending > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
