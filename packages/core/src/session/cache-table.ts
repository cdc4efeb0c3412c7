import type { NodeRef } from "../names.js";
import type { CacheClass } from "./context.js";

/** One cached value. `from` names the node that keeps the value when it is not here. */
export interface CacheEntry {
  readonly cacheClass: CacheClass;
  readonly value: unknown;
  /** Estimated; 0 for `rebuild`. */
  readonly bytes: number;
  readonly from: NodeRef | null;
}

/** A session's cache. Changes made after a savepoint can be rolled back, and are listed for the delta. */
export class CacheTable {
  #entries: Map<string, CacheEntry> | null = null;
  #undo: [string, CacheEntry | undefined][] = [];
  #bytes = 0;

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** Estimated bytes of what is kept here. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries?.get(key);
  }

  entries(): Iterable<[string, CacheEntry]> {
    return this.#entries ?? [];
  }

  /** Stores or, with null, deletes. */
  put(key: string, entry: CacheEntry | null): void {
    this.#undo.push([key, this.#entries?.get(key)]);
    this.#store(key, entry ?? undefined);
  }

  savepoint(): number {
    return this.#undo.length;
  }

  rollback(savepoint: number): void {
    while (this.#undo.length > savepoint) {
      const [key, former] = this.#undo.pop() as [string, CacheEntry | undefined];
      this.#store(key, former);
    }
  }

  /** Ends the turn; the keys that changed, each with whether replicas know the key. */
  settle(): ReadonlyMap<string, boolean> | null {
    if (this.#undo.length === 0) return null;
    const keys = new Map<string, boolean>();
    for (const [key, former] of this.#undo) if (!keys.has(key)) keys.set(key, former !== undefined && former.cacheClass !== "rebuild");
    this.#undo = [];
    return keys;
  }

  /** Forgets what only this process knows: somebody else has run turns since it was made. */
  dropRebuilt(): void {
    for (const [key, { cacheClass }] of this.entries()) if (cacheClass === "rebuild") this.#store(key, undefined);
  }

  #store(key: string, entry: CacheEntry | undefined): void {
    const former = this.#entries?.get(key);
    if (former !== undefined && former.from === null) this.#bytes -= former.bytes;
    if (entry === undefined) {
      this.#entries?.delete(key);
      return;
    }
    this.#entries ??= new Map();
    this.#entries.set(key, entry);
    if (entry.from === null) this.#bytes += entry.bytes;
  }
}
