import { ABSENT, ChangeLog } from "./change-log.js";
import { isContainer } from "./kinds.js";
import { TrackedNode } from "./node.js";
import { OP } from "./patch.js";

/**
 * What objects, Maps and Sets have in common: slots found by key, in an order that is part of the value. A Set is seen as a
 * Map whose members lead to themselves.
 */
export abstract class KeyedNode<R extends object> extends TrackedNode<R> {
  readonly #log = new ChangeLog();
  /** Keys in order before the first removal of the turn of a key that was there at its begin. */
  #order: unknown[] | null = null;
  /** Keys that were there at the begin, were removed and came back, in the log's order. */
  #returned: Set<unknown> | null = null;

  protected abstract hasKey(key: unknown): boolean;
  protected abstract read(key: unknown): unknown;
  protected abstract write(key: unknown, value: unknown): void;
  protected abstract remove(key: unknown): void;
  protected abstract keys(): unknown[];
  protected abstract count(): number;
  /** True for keys whose place among the others does not depend on when they were added. */
  protected abstract hasFixedPlace(key: unknown): boolean;

  /** Stores a checked value. `old` is what the slot holds, ABSENT when there is none. */
  protected store(key: unknown, old: unknown, value: unknown): void {
    this.willChange();
    const log = this.#log;
    const at = log.find(key);
    if (at < 0) log.add(key, old);
    else if (old === ABSENT) {
      // Came back after its removal: from now on it stands where it was added last.
      const begin = log.olds[at];
      log.removeAt(at);
      log.add(key, begin);
      this.#returned ??= new Set();
      this.#returned.add(key);
    }
    this.write(key, value);
    if (isContainer(value)) this.attach(value, key);
    this.release(old);
  }

  /** Takes a present key away. */
  protected drop(key: unknown): void {
    this.willChange();
    const old = this.read(key);
    const log = this.#log;
    const at = log.find(key);
    if (at < 0) {
      this.#order ??= this.keys();
      log.add(key, old);
    } else if (log.olds[at] === ABSENT) log.removeAt(at);
    else this.#order ??= this.keys();
    this.remove(key);
    this.release(old);
  }

  /** Takes everything away. */
  protected dropAll(): void {
    for (const key of this.keys()) this.drop(key);
  }

  hasChanged(): boolean {
    const log = this.#log;
    if (log.live === 0) return false;
    if (this.#returned !== null && this.#returned.size > 0) {
      const probe: unknown[] = [];
      this.emit(probe);
      return probe.length > 0;
    }
    for (let i = 0; i < log.size; i += 1) if (log.isLive(i) && !this.#isSame(log.keys[i], log.olds[i])) return true;
    return false;
  }

  emit(out: unknown[]): void {
    const log = this.#log;
    if (log.live === 0) return;
    if (this.#order === null) {
      for (let i = 0; i < log.size; i += 1) {
        if (log.isLive(i) && !this.#isSame(log.keys[i], log.olds[i])) this.#emitSet(log.keys[i], out);
      }
    } else this.#emitReordered(this.#order, out);
  }

  #emitReordered(order: unknown[], out: unknown[]): void {
    const log = this.#log;
    const back = this.#returned !== null && this.#returned.size > 0 ? this.#stayedInPlace(order) : null;
    let removed = 0;
    for (let i = 0; i < log.size; i += 1) {
      if (log.isLive(i) && log.olds[i] !== ABSENT && !this.#stays(log.keys[i], back)) removed += 1;
    }
    const beginCount = this.#beginCount();
    if (removed === beginCount && removed > 1) out.push(OP.clear);
    else {
      for (let i = 0; i < log.size; i += 1) {
        if (log.isLive(i) && log.olds[i] !== ABSENT && !this.#stays(log.keys[i], back)) out.push(OP.delete, log.keys[i]);
      }
    }
    for (let i = 0; i < log.size; i += 1) {
      const key = log.keys[i];
      if (!log.isLive(i) || !this.hasKey(key)) continue;
      const old = log.olds[i];
      if (old === ABSENT || !this.#stays(key, back) || !Object.is(old, this.read(key))) this.#emitSet(key, out);
    }
  }

  /** Present now, and at the place that it had at the begin. */
  #stays(key: unknown, back: ReadonlySet<unknown> | null): boolean {
    if (!this.hasKey(key)) return false;
    return this.#returned === null || !this.#returned.has(key) || this.hasFixedPlace(key) || (back?.has(key) ?? false);
  }

  /** The returned keys that stand in the old order all the same, because everything after them went and came too. */
  #stayedInPlace(order: unknown[]): ReadonlySet<unknown> {
    const returned = this.#returned as ReadonlySet<unknown>;
    const kept = new Set<unknown>();
    let at = 0;
    for (const key of this.keys()) {
      if (this.hasFixedPlace(key)) continue;
      while (at < order.length && !sameKey(order[at], key)) at += 1;
      if (at === order.length) break;
      if (returned.has(key)) kept.add(key);
    }
    return kept;
  }

  #beginCount(): number {
    const log = this.#log;
    let count = this.count();
    for (let i = 0; i < log.size; i += 1) {
      if (!log.isLive(i)) continue;
      const wasThere = log.olds[i] !== ABSENT;
      if (wasThere !== this.hasKey(log.keys[i])) count += wasThere ? 1 : -1;
    }
    return count;
  }

  #emitSet(key: unknown, out: unknown[]): void {
    const value = this.read(key);
    this.carry(value);
    this.emitSlot(key, value, out);
  }

  protected emitSlot(key: unknown, value: unknown, out: unknown[]): void {
    out.push(OP.set, key, value);
  }

  #isSame(key: unknown, old: unknown): boolean {
    return this.hasKey(key) ? old !== ABSENT && Object.is(old, this.read(key)) : old === ABSENT;
  }

  restore(dropped: TrackedNode[]): void {
    const log = this.#log;
    for (let i = 0; i < log.size; i += 1) {
      if (!log.isLive(i)) continue;
      const key = log.keys[i];
      const old = log.olds[i];
      const now = this.hasKey(key) ? this.read(key) : ABSENT;
      if (old === ABSENT) {
        if (now !== ABSENT) this.remove(key);
      } else this.write(key, old);
      if (Object.is(now, old)) continue;
      if (isContainer(old)) this.attach(old, key);
      this.releaseInto(now, dropped);
    }
    if (this.#order !== null) this.#restoreOrder(this.#order);
  }

  #restoreOrder(order: unknown[]): void {
    const kept = order.filter((key) => this.hasKey(key));
    const values = kept.map((key) => this.read(key));
    for (const key of kept) this.remove(key);
    for (let i = 0; i < kept.length; i += 1) this.write(kept[i], values[i]);
  }

  resetLog(): void {
    this.#log.clear();
    this.#order = null;
    this.#returned = null;
  }
}

/** Equality of keys as Map has it. */
function sameKey(a: unknown, b: unknown): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: NaN is a key like any other
  return a === b || (a !== a && b !== b);
}
