/** Stands for "there was nothing" in a log. */
export const ABSENT: unique symbol = /* @__PURE__ */ Symbol("absent");

/** Stands where an entry was taken out. */
const REMOVED: unique symbol = /* @__PURE__ */ Symbol("removed");

const SCAN_UP_TO = 12;

/**
 * What the touched slots of one container held when the turn began, in the order of their first touch. Made for a handful of
 * entries: they are searched in place, an index is built only beyond that. Storage is reused from turn to turn.
 */
export class ChangeLog {
  /** Entries from 0 to `size`, with gaps: see `isLive`. */
  readonly keys: unknown[] = [];
  readonly olds: unknown[] = [];
  size = 0;
  /** Entries that are not gaps. */
  live = 0;
  #index: Map<unknown, number> | null = null;

  /** Position of a key, or -1. Keys are compared as Map does. */
  find(key: unknown): number {
    if (this.#index !== null) return this.#index.get(key) ?? -1;
    const keys = this.keys;
    for (let i = this.size - 1; i >= 0; i -= 1) {
      const k = keys[i];
      // biome-ignore lint/suspicious/noSelfCompare: NaN is a key like any other
      if (k === key || (k !== k && key !== key)) return i;
    }
    return -1;
  }

  /** Adds an entry for a key that has none. */
  add(key: unknown, old: unknown): void {
    const at = this.size;
    this.keys[at] = key;
    this.olds[at] = old;
    this.size = at + 1;
    this.live += 1;
    if (this.#index !== null) this.#index.set(key, at);
    else if (at >= SCAN_UP_TO) this.#buildIndex();
  }

  removeAt(at: number): void {
    this.#index?.delete(this.keys[at]);
    this.keys[at] = REMOVED;
    this.olds[at] = undefined;
    this.live -= 1;
  }

  isLive(at: number): boolean {
    return this.keys[at] !== REMOVED;
  }

  clear(): void {
    if (this.size > SCAN_UP_TO) {
      this.keys.length = 0;
      this.olds.length = 0;
    } else {
      for (let i = 0; i < this.size; i += 1) {
        this.keys[i] = undefined;
        this.olds[i] = undefined;
      }
    }
    this.size = 0;
    this.live = 0;
    this.#index = null;
  }

  #buildIndex(): void {
    const index = new Map<unknown, number>();
    for (let i = 0; i < this.size; i += 1) if (this.isLive(i)) index.set(this.keys[i], i);
    this.#index = index;
  }
}
