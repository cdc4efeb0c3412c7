import {
  type Clock,
  type DirectoryChange,
  type DirectoryContents,
  type DirectoryStore,
  nodeIdOf,
  type SessionKey,
  type SessionRecord,
  SojournError,
  StoredValues,
} from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { SeededRandom } from "./seeded-random.js";

/** What a disk does wrong. `failedWrite` and `diskFull` are told at once; the others only show when the entry is read. */
export type DiskFault = "failedWrite" | "diskFull" | "tornWrite" | "misdirectedWrite" | "flippedBit";

/** The faults of writes, as parts of all appends, 0 to 1. */
export interface DiskRates {
  readonly failedWrite: number;
  /** An entry is cut off behind some byte. */
  readonly tornWrite: number;
  /** What belongs to one entry lands on another. */
  readonly misdirectedWrite: number;
  readonly flippedBit: number;
}

const DAMAGES = ["tornWrite", "misdirectedWrite", "flippedBit"] as const;

/**
 * The disk of a simulated directory, with the production format and its checksums. What `append` has resolved survives everything; what
 * is under way when power is lost survives as far as `flushed` says, and a rejected append whole or not at all. Entries can be damaged,
 * and put right again as from a mirror. One opening of it at a time.
 */
export class VirtualDisk {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #values = new StoredValues(systemCrc32);
  /** What is true, and the bytes of those entries that are damaged. */
  readonly #records = new Map<SessionKey, SessionRecord>();
  readonly #nodes = new Map<string, Extract<DirectoryChange, { type: "node" }>["lease"]>();
  readonly #damaged = new Map<string, Uint8Array>();
  #pending: { readonly changes: readonly DirectoryChange[]; readonly done: () => void } | null = null;
  #opening = 0;
  /** How long an append takes. */
  appendMs = 0;
  /** No append finds room. */
  full = false;
  rates: DiskRates | null = null;
  /** Told of each fault. */
  onFault: ((fault: DiskFault) => void) | null = null;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Opens it; an earlier opening writes nothing from now on. */
  open(): DirectoryStore {
    this.#opening++;
    const opening = this.#opening;
    return {
      load: async () => this.#load(),
      append: (changes) => this.#append(opening, changes),
      close: async () => undefined,
    };
  }

  /** Power is lost: of what is being appended the first `kept` changes are there afterwards. */
  losePower(kept: number): void {
    this.#opening++;
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) this.#keep(pending.changes.slice(0, kept));
    pending?.done();
  }

  /** Changes under way that power may take. */
  get unflushed(): number {
    return this.#pending?.changes.length ?? 0;
  }

  /** Whether an entry would be found damaged. */
  get damaged(): boolean {
    return this.#damaged.size > 0;
  }

  /** Damaged entries are put right, as from a mirror. */
  repair(): void {
    this.#damaged.clear();
  }

  /** Puts something there before the directory first opens it. */
  preload(changes: readonly DirectoryChange[]): void {
    this.#keep(changes);
  }

  /** The records that are on it. */
  records(): ReadonlyMap<SessionKey, SessionRecord> {
    return this.#records;
  }

  #append(opening: number, changes: readonly DirectoryChange[]): Promise<void> {
    if (opening !== this.#opening) return Promise.resolve();
    const refused = this.full ? "diskFull" : this.#random.chance(this.rates?.failedWrite ?? 0) ? "failedWrite" : null;
    if (this.appendMs === 0) {
      this.#keep(refused === null ? changes : this.#chanceOf(changes));
      return refused === null ? Promise.resolve() : this.#refuse(refused);
    }
    return new Promise((resolve, reject) => {
      const pending = { changes, done: resolve };
      this.#pending = pending;
      this.#clock.schedule(this.appendMs, () => {
        if (this.#pending !== pending) return;
        this.#pending = null;
        this.#keep(refused === null ? changes : this.#chanceOf(changes));
        if (refused === null) resolve();
        else this.#refuse(refused).catch(reject);
      });
    });
  }

  #refuse(fault: DiskFault): Promise<never> {
    this.onFault?.(fault);
    return Promise.reject(new SojournError("E_DISK", fault === "diskFull" ? "no space is left on the device" : "the write failed"));
  }

  /** A rejected append may all the same be there at the next opening: all of it, for it is one transaction. */
  #chanceOf(changes: readonly DirectoryChange[]): readonly DirectoryChange[] {
    return !this.full && this.#random.chance(0.5) ? changes : [];
  }

  #keep(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      if (change.type === "record") {
        this.#records.set(change.key, change.record);
        this.#damaged.delete(change.key);
      } else {
        const id = nodeIdOf(change.lease.ref);
        this.#nodes.set(id, change.lease);
        this.#damaged.delete(id);
      }
    }
    const { rates } = this;
    if (rates === null) return;
    for (const damage of DAMAGES) if (this.#random.chance(rates[damage])) this.#damage(damage);
  }

  #damage(fault: (typeof DAMAGES)[number]): void {
    const keys = [...this.#records.keys(), ...this.#nodes.keys()];
    if (keys.length === 0) return;
    const key = this.#random.pick(keys);
    const bytes = this.#bytesOf(fault === "misdirectedWrite" ? this.#random.pick(keys.filter((other) => other !== key)) : key);
    if (bytes === null) return;
    if (fault === "flippedBit") {
      const at = this.#random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << this.#random.below(8));
    }
    this.#damaged.set(key, fault === "tornWrite" ? bytes.slice(0, this.#random.below(bytes.length)) : bytes);
    this.onFault?.(fault);
  }

  #bytesOf(key: string | undefined): Uint8Array | null {
    if (key === undefined) return null;
    const record = this.#records.get(key);
    if (record !== undefined) return this.#values.encodeRecord(key, record);
    const lease = this.#nodes.get(key);
    return lease === undefined ? null : this.#values.encodeLease(key, lease);
  }

  /** @throws SojournError `E_DISK` (rejects) when an entry is damaged */
  #load(): DirectoryContents {
    for (const [key, bytes] of this.#damaged) {
      if (this.#records.has(key)) this.#values.decodeRecord(key, bytes);
      else this.#values.decodeLease(key, bytes);
      throw new Error(`damage to the entry of ${key} was not found`);
    }
    return { records: new Map(this.#records), nodes: [...this.#nodes.values()] };
  }
}
