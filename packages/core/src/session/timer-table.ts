/** One timer as this node counts it. */
export interface Timer {
  readonly dueMs: number;
  readonly everyMs: number | null;
}

/**
 * Named timers on this node's monotonic clock. Changes made after `begin` can be rolled back, and are listed for the delta;
 * what travels is the time that remains.
 */
export class TimerTable {
  #timers: Map<string, Timer> | null = null;
  /** Name and former timer of each change of this turn. */
  #undo: [string, Timer | undefined][] = [];
  #nextMs: number | null | undefined = null;

  get size(): number {
    return this.#timers?.size ?? 0;
  }

  get(name: string): Timer | undefined {
    return this.#timers?.get(name);
  }

  entries(): Iterable<[string, Timer]> {
    return this.#timers ?? [];
  }

  /** Sets or, with null, clears. */
  put(name: string, timer: Timer | null): void {
    this.#undo.push([name, this.#timers?.get(name)]);
    this.#store(name, timer ?? undefined);
  }

  /** Takes a firing into account: a one-shot timer is gone, a repeating one goes on in step. */
  fire(name: string, nowMs: number): void {
    const timer = this.#timers?.get(name);
    if (timer === undefined) return;
    if (timer.everyMs === null) {
      this.put(name, null);
      return;
    }
    const missed = Math.floor((nowMs - timer.dueMs) / timer.everyMs);
    this.put(name, { dueMs: timer.dueMs + (missed + 1) * timer.everyMs, everyMs: timer.everyMs });
  }

  /** When the next timer is due, or null. */
  nextMs(): number | null {
    if (this.#nextMs === undefined) {
      this.#nextMs = null;
      for (const { dueMs } of this.#timers?.values() ?? []) if (this.#nextMs === null || dueMs < this.#nextMs) this.#nextMs = dueMs;
    }
    return this.#nextMs;
  }

  /** The timer that is due the longest, or null. Equal ones fire in the order of their names. */
  due(nowMs: number): string | null {
    const next = this.nextMs();
    if (next === null || next > nowMs || this.#timers === null) return null;
    let first: string | null = null;
    for (const [name, { dueMs }] of this.#timers) if (dueMs === next && (first === null || name < first)) first = name;
    return first;
  }

  /** Where the turn stands now, for `rollback`. */
  savepoint(): number {
    return this.#undo.length;
  }

  rollback(savepoint: number): void {
    while (this.#undo.length > savepoint) {
      const [name, former] = this.#undo.pop() as [string, Timer | undefined];
      this.#store(name, former);
    }
  }

  /** Ends the turn; the names that changed, each once. */
  settle(): Iterable<string> | null {
    if (this.#undo.length === 0) return null;
    const names = new Set<string>();
    for (const [name] of this.#undo) names.add(name);
    this.#undo = [];
    return names;
  }

  #store(name: string, timer: Timer | undefined): void {
    this.#nextMs = undefined;
    if (timer !== undefined) {
      this.#timers ??= new Map();
      this.#timers.set(name, timer);
    } else this.#timers?.delete(name);
  }
}
