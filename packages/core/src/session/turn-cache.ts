import { errorCodeOf, SojournError } from "../errors/sojourn-error.js";
import { copyPlain } from "../state/plain.js";
import type { CacheEntry } from "./cache-table.js";
import type { CacheClass, SessionCache } from "./context.js";
import { estimateBytes } from "./estimate-bytes.js";
import { isThenable } from "./thenable.js";
import type { Turn } from "./turn.js";

/** The cache of the turn in hand. */
export class TurnCache implements SessionCache {
  readonly #turn: Turn;
  /** Values that are on their way, so that a key is pulled or rebuilt once. */
  readonly #coming = new Map<string, Promise<unknown>>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  get<T = unknown>(key: string, options?: { readonly rebuild?: () => T | Promise<T> }): T | undefined | Promise<T | undefined> {
    this.#turn.use();
    const entry = this.#turn.body.cache.get(key);
    if (entry !== undefined && entry.from === null) return entry.value as T;
    const coming = this.#coming.get(key);
    if (coming !== undefined) return coming as Promise<T | undefined>;
    if (entry === undefined) return this.#rebuild(key, undefined, options?.rebuild) as T | undefined | Promise<T | undefined>;
    return this.#come(key, this.#pull(key, entry, options?.rebuild)) as Promise<T | undefined>;
  }

  set(key: string, value: unknown, cacheClass?: CacheClass): void {
    this.#turn.use();
    const { cache, definition, env } = this.#turn.body;
    if (value === undefined) {
      this.delete(key);
      return;
    }
    const chosen = cacheClass ?? definition.cacheClasses.get(key) ?? "carry";
    const former = cache.get(key);
    let bytes = 0;
    let kept = value;
    if (chosen !== "rebuild") {
      kept = copyPlain(value, env.limits, `cache.${key}`);
      bytes = estimateBytes(kept);
      const total = cache.bytes + bytes - (former !== undefined && former.from === null ? former.bytes : 0);
      if (total > env.limits.maxCacheBytes) throw full(key, `${total} bytes are more than maxCacheBytes (${env.limits.maxCacheBytes})`);
    }
    if (former === undefined && cache.size >= env.limits.maxCacheEntries) {
      throw full(key, `it has maxCacheEntries (${env.limits.maxCacheEntries}) already`);
    }
    cache.put(key, { cacheClass: chosen, value: kept, bytes, from: null });
  }

  delete(key: string): boolean {
    this.#turn.use();
    const { cache } = this.#turn.body;
    if (cache.get(key) === undefined) return false;
    cache.put(key, null);
    return true;
  }

  async #pull(key: string, entry: CacheEntry, rebuild: (() => unknown) | undefined): Promise<unknown> {
    const { env, key: session } = this.#turn.body;
    let value: unknown;
    if (entry.from !== null && entry.from !== env.self) {
      try {
        value = await env.pullCache(entry.from, session, key);
      } catch (error) {
        env.onHandlerError?.(session, `cache ${key}`, error);
      }
    }
    if (value !== undefined) {
      this.#keep(key, value, entry.cacheClass);
      return value;
    }
    if (this.#inHand()) this.delete(key);
    return this.#rebuild(key, entry.cacheClass, rebuild);
  }

  #rebuild(key: string, cacheClass: CacheClass | undefined, rebuild: (() => unknown) | undefined): unknown {
    if (rebuild === undefined) return undefined;
    const chosen = cacheClass ?? this.#turn.body.definition.cacheClasses.get(key) ?? "rebuild";
    const made = rebuild();
    if (!isThenable(made)) {
      this.#keep(key, made, chosen);
      return made;
    }
    const kept = Promise.resolve(made).then((value) => {
      this.#keep(key, value, chosen);
      return value;
    });
    return this.#come(key, kept);
  }

  #come(key: string, value: Promise<unknown>): Promise<unknown> {
    if (this.#coming.has(key)) return value;
    const done = () => {
      this.#coming.delete(key);
    };
    this.#coming.set(key, value);
    value.then(done, done);
    return value;
  }

  /** Stores what came, unless the turn is over by then or there is no room: its user has it in any case. */
  #keep(key: string, value: unknown, cacheClass: CacheClass): void {
    if (!this.#inHand()) return;
    try {
      this.set(key, value, cacheClass);
    } catch (error) {
      if (errorCodeOf(error) !== "E_CACHE_FULL") throw error;
    }
  }

  #inHand(): boolean {
    return this.#turn.body.turn === this.#turn;
  }
}

function full(key: string, problem: string): SojournError {
  return new SojournError("E_CACHE_FULL", `"${key}" does not fit into the session's cache: ${problem}`, { key });
}
