import type { Clock, DirectoryChange, DirectoryContents, DirectoryStore, NodeLease, SessionKey, SessionRecord } from "@sojourn/core";

/**
 * The disk of a simulated directory: what `append` has resolved survives everything; what is under way when power is lost survives as
 * far as `flushed` says. One opening of it at a time.
 */
export class VirtualDisk {
  readonly #clock: Clock;
  readonly #changes: DirectoryChange[] = [];
  #pending: { readonly changes: readonly DirectoryChange[]; readonly done: () => void } | null = null;
  #opening = 0;
  /** How long an append takes. */
  appendMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens it; an earlier opening writes nothing from now on. */
  open(): DirectoryStore {
    this.#opening++;
    const opening = this.#opening;
    return {
      load: async () => this.#contents(),
      append: (changes) => this.#append(opening, changes),
      close: async () => undefined,
    };
  }

  /** Power is lost: of what is being appended the first `kept` changes are there afterwards. */
  losePower(kept: number): void {
    this.#opening++;
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) this.#changes.push(...pending.changes.slice(0, kept));
    pending?.done();
  }

  /** Changes under way that power may take. */
  get unflushed(): number {
    return this.#pending?.changes.length ?? 0;
  }

  #append(opening: number, changes: readonly DirectoryChange[]): Promise<void> {
    if (opening !== this.#opening) return Promise.resolve();
    if (this.appendMs === 0) {
      this.#changes.push(...changes);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const pending = { changes, done: resolve };
      this.#pending = pending;
      this.#clock.schedule(this.appendMs, () => {
        if (this.#pending !== pending) return;
        this.#pending = null;
        this.#changes.push(...changes);
        resolve();
      });
    });
  }

  /** The records that are on it. */
  records(): ReadonlyMap<SessionKey, SessionRecord> {
    const records = new Map<SessionKey, SessionRecord>();
    for (const change of this.#changes) if (change.type === "record") records.set(change.key, change.record);
    return records;
  }

  #contents(): DirectoryContents {
    const nodes = new Map<string, NodeLease>();
    for (const change of this.#changes) if (change.type === "node") nodes.set(change.lease.info.id, change.lease);
    return { records: this.records(), nodes: nodes.values() };
  }
}
