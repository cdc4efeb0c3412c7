import {
  type Directory,
  DirectoryEngine,
  type Limits,
  LocalDirectory,
  type NodeRef,
  type RecordDraft,
  type SessionKey,
  type SessionRecord,
} from "@sojourn/core";
import type { NodeClock } from "./node-clock.js";
import { VirtualDisk } from "./virtual-store.js";

/** Sees what the directory does and changes nothing. */
export interface DirectoryObserver {
  /** A write reached the directory; told before it is carried out. */
  asked(key: SessionKey, expected: number, draft: RecordDraft): void;
  /** A record was written. */
  written(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void;
  leaseEnded(ref: NodeRef): void;
}

/** The process that serves the directory: the production engine on a simulated disk. It can be stopped, paused and restarted. */
export class DirectoryService {
  readonly clock: NodeClock;
  readonly disk: VirtualDisk;
  readonly #limits: Limits;
  #engine: DirectoryEngine;
  #handle: LocalDirectory;
  /** Counts the lives of the process. */
  life = 1;
  #up = true;
  readonly #onUp = new Set<() => void>();
  readonly #records = new Map<SessionKey, SessionRecord>();
  observer: DirectoryObserver | null = null;

  constructor(clock: NodeClock, limits: Limits) {
    this.clock = clock;
    this.#limits = limits;
    this.disk = new VirtualDisk(clock);
    this.#engine = DirectoryEngine.inMemory({ clock, limits });
    this.#handle = new LocalDirectory(this.#engine);
  }

  /** Puts the directory on its disk. Without it everything is durable at once and a restart forgets all. */
  async useDisk(): Promise<void> {
    await this.#open();
  }

  get up(): boolean {
    return this.#up;
  }

  /** The present life's directory. */
  get handle(): Directory {
    return this.#handle;
  }

  /** The records as they stand, for checks. */
  get records(): ReadonlyMap<SessionKey, SessionRecord> {
    return this.#records;
  }

  /** Called after each restart. Returns the way to stop. */
  onUp(listener: () => void): () => void {
    this.#onUp.add(listener);
    return () => this.#onUp.delete(listener);
  }

  /** The process dies; with `powerLoss` only a beginning of what was being written is on the disk. */
  stop(kept: number | null): void {
    if (!this.#up) return;
    this.#up = false;
    this.life++;
    this.disk.losePower(kept ?? this.disk.unflushed);
    void this.#engine.abort();
  }

  async start(): Promise<void> {
    if (this.#up) return;
    await this.#open();
    this.#up = true;
    for (const listener of [...this.#onUp]) listener();
  }

  async #open(): Promise<void> {
    this.#engine = await DirectoryEngine.open({ clock: this.clock, limits: this.#limits, store: this.disk.open() });
    this.#handle = new LocalDirectory(this.#engine);
    for (const [key, record] of this.disk.records()) this.#records.set(key, record);
    const engine = this.#engine;
    engine.watchNodes((entry) => {
      if (entry.ended && this.#engine === engine) this.observer?.leaseEnded(entry.ref);
    });
  }

  /** A write arrives at the directory. */
  async compareAndSet(key: SessionKey, expected: number, draft: RecordDraft) {
    this.observer?.asked(key, expected, draft);
    const handle = this.#handle;
    const outcome = await handle.compareAndSet(key, expected, draft);
    if (outcome.outcome === "applied") {
      const record: SessionRecord = { ...draft, revision: outcome.revision };
      const previous = this.#records.get(key) ?? null;
      if (previous === null || previous.revision < record.revision) this.#records.set(key, record);
      this.observer?.written(key, record, previous);
    }
    return outcome;
  }
}
