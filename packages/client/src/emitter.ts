type Listener = (value: never) => void;

/** Makes an error surface where the runtime reports what nobody handled. */
export function surface(error: unknown): void {
  void Promise.reject(error);
}

/** Listeners by name. A listener that throws harms neither the others nor the link: its error goes to `report`. */
export class Emitter {
  readonly #report: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(report: (error: unknown) => void = surface) {
    this.#report = report;
  }

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
        this.#report(error);
      }
    }
  }
}
