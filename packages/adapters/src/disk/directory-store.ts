import {
  type Crc32,
  type DirectoryChange,
  type DirectoryContents,
  type DirectoryStore,
  nodeIdOf,
  type SessionRecord,
  SojournError,
  StoredValues,
} from "@sojourn/core";
import { type Database, open, type RootDatabase } from "lmdb";
import { checkLmdbFile } from "./lmdb-file.js";

/** Where and how the directory is kept on disk. */
export interface DiskDirectoryStoreOptions {
  /** A folder of the directory's own; it is made when it is missing. One process at a time may use it. */
  readonly path: string;
  readonly crc32: Crc32;
}

const FORMAT_KEY = "format";
const FORMAT = "sojourn-directory 1";

/**
 * Keeps the directory in LMDB. A put's promise is only as good as its commit: with LMDB's "overlapping sync" it settles before
 * the data is flushed, and a failed flush is never told. So that is off, and a settled append is on the disk. LMDB commits
 * puts in their order, though not always all of one append together.
 * @throws SojournError `E_DISK` when the folder cannot be used or is not a directory's
 */
export function openDiskDirectoryStore(options: DiskDirectoryStoreOptions): DirectoryStore {
  return guarded("open", () => new DiskDirectoryStore(options));
}

class DiskDirectoryStore implements DirectoryStore {
  readonly #values: StoredValues;
  readonly #root: RootDatabase<string, string>;
  readonly #records: Database<Uint8Array, string>;
  readonly #nodes: Database<Uint8Array, string>;
  #closed = false;

  constructor({ path, crc32 }: DiskDirectoryStoreOptions) {
    this.#values = new StoredValues(crc32);
    checkLmdbFile(path);
    this.#root = open<string, string>({ path, encoding: "string", overlappingSync: false, noSubdir: false, maxDbs: 4 });
    try {
      this.#records = this.#root.openDB<Uint8Array, string>({ name: "records", encoding: "binary" });
      this.#nodes = this.#root.openDB<Uint8Array, string>({ name: "nodes", encoding: "binary" });
      const format = this.#root.get(FORMAT_KEY);
      if (format !== undefined && format !== FORMAT) throw new SojournError("E_DISK", `the folder holds "${String(format).slice(0, 40)}"`);
      if (format === undefined) this.#root.putSync(FORMAT_KEY, FORMAT);
    } catch (error) {
      void this.#root.close();
      throw error;
    }
  }

  async load(): Promise<DirectoryContents> {
    return guarded("read", () => {
      const records = readAll(this.#records, (key, value): [string, SessionRecord] => [key, this.#values.decodeRecord(key, value)]);
      const nodes = readAll(this.#nodes, (key, value) => this.#values.decodeLease(key, value));
      return { records, nodes };
    });
  }

  async append(changes: readonly DirectoryChange[]): Promise<void> {
    // LMDB itself would let such a write wait for ever.
    if (this.#closed) throw new SojournError("E_DISK", "the directory's store is closed");
    try {
      const puts: Promise<boolean>[] = [];
      for (const change of changes) {
        if (change.type === "record") puts.push(this.#records.put(change.key, this.#values.encodeRecord(change.key, change.record)));
        else {
          const id = nodeIdOf(change.lease.ref);
          puts.push(this.#nodes.put(id, this.#values.encodeLease(id, change.lease)));
        }
      }
      await Promise.all(puts);
    } catch (cause) {
      throw new SojournError("E_DISK", "the directory could not be written", {}, cause);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
  }
}

/** A damaged inner page can make a range come back shorter without an error; the tree's own count tells. */
function readAll<T>(database: Database<Uint8Array, string>, decode: (key: string, value: Uint8Array) => T): T[] {
  const found: T[] = [];
  for (const { key, value } of database.getRange()) found.push(decode(key, value));
  const { entryCount } = database.getStats() as { entryCount: number };
  if (found.length !== entryCount) throw new SojournError("E_DISK", `${found.length} of ${entryCount} entries are left`);
  return found;
}

function guarded<T>(what: "open" | "read", action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof SojournError && cause.code === "E_DISK") throw cause;
    throw new SojournError("E_DISK", `the directory could not be ${what === "open" ? "opened" : "read"}`, {}, cause);
  }
}
