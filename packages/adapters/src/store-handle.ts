import { parseSessionKey, SojournError } from "@sojourn/core";

/** What every handle of a session store has: it is open until it is closed, and knows what it has begun. */
export class StoreHandle {
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws SojournError `E_STORE_UNAVAILABLE` when it is closed, `E_SESSION_KEY_INVALID` */
  check(session: string): void {
    this.checkOpen();
    parseSessionKey(session);
  }

  /** @throws SojournError `E_STORE_UNAVAILABLE` when it is closed */
  checkOpen(): void {
    if (this.#closed) throw new SojournError("E_STORE_UNAVAILABLE", "the store is closed");
  }

  /** The work counts as under way until it has ended, however. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const done = (): void => void this.#underWay.delete(work);
    work.then(done, done);
    return work;
  }

  /** Nothing begins any more. Resolves when what is under way has ended, with what that still had to do. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }
}
