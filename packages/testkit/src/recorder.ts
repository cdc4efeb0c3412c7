/** Collects events and lets a test wait for one, without polling. */
export class Recorder<T> {
  readonly events: T[] = [];
  #waiters: { readonly until: (event: T) => boolean; readonly resolve: (event: T) => void }[] = [];

  /** Pass this as the listener. */
  readonly record = (event: T): void => {
    this.events.push(event);
    const ready = this.#waiters.filter((waiter) => waiter.until(event));
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve(event);
  };

  /** The first event, past or to come, that fulfils the condition. */
  until(condition: (event: T) => boolean): Promise<T> {
    const past = this.events.find(condition);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => this.#waiters.push({ until: condition, resolve }));
  }
}
