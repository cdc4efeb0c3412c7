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
import type { SeededRandom } from "./seeded-random.js";
import { VirtualDisk } from "./virtual-store.js";

/** Sees what the directory does and changes nothing. */
export interface DirectoryObserver {
  /** A write reached the directory; told before it is carried out. */
  asked(key: SessionKey, expected: number, draft: RecordDraft): void;
  /** A record was written. */
  written(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void;
  leaseEnded(ref: NodeRef): void;
  /** Its store failed, and it has stopped; or it found a damaged entry, and does not start. */
  failed(what: "store" | "damage"): void;
}

/** A supervisor starts the process again so long after its end. */
const RESTART_MS = 200;
/** Until damage that was found is put right. */
const REPAIR_MS = 1_000;

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
  #starting = false;
  readonly #onUp = new Set<() => void>();
  readonly #records = new Map<SessionKey, SessionRecord>();
  observer: DirectoryObserver | null = null;

  constructor(clock: NodeClock, limits: Limits, random: SeededRandom) {
    this.clock = clock;
    this.#limits = limits;
    this.disk = new VirtualDisk(clock, random);
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

  /** Starts it; where its disk is damaged it does not start until that is put right. */
  async start(): Promise<void> {
    if (this.#up || this.#starting) return;
    this.#starting = true;
    try {
      await this.#open();
    } catch {
      this.#starting = false;
      this.observer?.failed("damage");
      this.clock.schedule(REPAIR_MS, () => {
        this.disk.repair();
        void this.start();
      });
      return;
    }
    this.#starting = false;
    this.#up = true;
    for (const listener of [...this.#onUp]) listener();
  }

  async #open(): Promise<void> {
    const engine: DirectoryEngine = await DirectoryEngine.open({
      clock: this.clock,
      limits: this.#limits,
      store: this.disk.open(),
      onFailure: () => {
        if (this.#engine === engine) this.#storeFailed();
      },
    });
    this.#engine = engine;
    this.#handle = new LocalDirectory(this.#engine);
    // Writes that nobody was told of may be there all the same.
    for (const [key, record] of this.disk.records()) {
      const previous = this.#records.get(key) ?? null;
      if (previous !== null && previous.revision >= record.revision) continue;
      this.#records.set(key, record);
      this.observer?.written(key, record, previous);
    }
    engine.watchNodes((entry) => {
      if (entry.ended && this.#engine === engine) this.observer?.leaseEnded(entry.ref);
    });
  }

  #storeFailed(): void {
    if (!this.#up) return;
    this.observer?.failed("store");
    this.stop(0);
    this.clock.schedule(RESTART_MS, () => void this.start());
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
