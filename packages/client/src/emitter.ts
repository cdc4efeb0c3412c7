type Listener = (value: never) => void;

/** Listeners by name. A listener that throws harms neither the others nor the link: its error becomes an unhandled rejection. */
export class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();

  on(name: string, listener: Listener): void {
    const set = this.#listeners.get(name);
    if (set === undefined) this.#listeners.set(name, new Set([listener]));
    else set.add(listener);
  }

  off(name: string, listener: Listener): void {
    const set = this.#listeners.get(name);
    if (set?.delete(listener) && set.size === 0) this.#listeners.delete(name);
  }

  emit(name: string, value: unknown): void {
    const set = this.#listeners.get(name);
    if (set === undefined) return;
    for (const listener of set) {
      try {
        listener(value as never);
      } catch (error) {
        void Promise.reject(error);
      }
    }
  }
}
