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
import type { Database, RootDatabase } from "lmdb";
import { asDiskError, committed, openLmdb } from "./open-lmdb.js";

/** Where and how the directory is kept on disk. */
export interface DiskDirectoryStoreOptions {
  /** A folder of the directory's own; it is made when it is missing. One process at a time may use it. */
  readonly path: string;
  readonly crc32: Crc32;
}

const FORMAT = "sojourn-directory 1";

/**
 * Keeps the directory in LMDB: a settled append is on the disk, and the changes of one append are committed together.
 * @throws SojournError `E_DISK` when the folder cannot be used or is not a directory's
 */
export function openDiskDirectoryStore(options: DiskDirectoryStoreOptions): DirectoryStore {
  return asDiskError("the directory could not be opened", () => new DiskDirectoryStore(options));
}

class DiskDirectoryStore implements DirectoryStore {
  readonly #values: StoredValues;
  readonly #root: RootDatabase<string, string>;
  readonly #records: Database<Uint8Array, string>;
  readonly #nodes: Database<Uint8Array, string>;
  #closed = false;

  constructor({ path, crc32 }: DiskDirectoryStoreOptions) {
    this.#values = new StoredValues(crc32);
    const { root, records, nodes } = openLmdb(path, FORMAT, (opened) => ({
      root: opened,
      records: opened.openDB<Uint8Array, string>({ name: "records", encoding: "binary" }),
      nodes: opened.openDB<Uint8Array, string>({ name: "nodes", encoding: "binary" }),
    }));
    this.#root = root;
    this.#records = records;
    this.#nodes = nodes;
  }

  async load(): Promise<DirectoryContents> {
    return asDiskError("the directory could not be read", () => {
      const records = readAll(this.#records, (key, value): [string, SessionRecord] => [key, this.#values.decodeRecord(key, value)]);
      const nodes = readAll(this.#nodes, (key, value) => this.#values.decodeLease(key, value));
      return { records, nodes };
    });
  }

  async append(changes: readonly DirectoryChange[]): Promise<void> {
    // LMDB itself would let such a write wait for ever.
    if (this.#closed) throw new SojournError("E_DISK", "the directory's store is closed");
    if (changes.length === 0) return;
    try {
      const write = this.#root.batch(() => {
        for (const change of changes) {
          if (change.type === "record") void this.#records.put(change.key, this.#values.encodeRecord(change.key, change.record));
          else {
            const id = nodeIdOf(change.lease.ref);
            void this.#nodes.put(id, this.#values.encodeLease(id, change.lease));
          }
        }
      });
      await committed(write);
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
