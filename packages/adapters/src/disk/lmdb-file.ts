import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { SojournError } from "@sojourn/core";

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** Two meta pages of at least this size come first. */
const MIN_PAGE_BYTES = 4_096;
const META_BYTES = 160;

/**
 * Looks at an LMDB environment before LMDB does. LMDB maps the file: where the file is shorter than its meta pages say, the
 * first access kills the process, and an empty file is taken for a new one. Here an empty or foreign file is an error, and a
 * cut one is filled with zeros up to its length, which LMDB then reports as damage where it matters (pages that were free are
 * rightly absent now and then).
 * @throws SojournError `E_DISK`
 */
export function checkLmdbFile(folder: string): void {
  const path = join(folder, "data.mdb");
  if (!existsSync(path)) {
    if (existsSync(join(folder, "lock.mdb"))) throw new SojournError("E_DISK", `${path} is gone, but its lock file is there`, { path });
    return;
  }
  const file = openSync(path, "r+");
  try {
    const { size } = fstatSync(file);
    const needed = Math.max(neededBytes(file, 0, path), neededBytes(file, pageBytes(file), path));
    if (needed > size) ftruncateSync(file, needed);
  } finally {
    closeSync(file);
  }
}

/** Whether this may be an environment that another process is just making: its lock file comes first, then an empty file, then both meta pages in one write. */
export function mayBeInTheMaking(folder: string): boolean {
  try {
    return statSync(join(folder, "data.mdb")).size === 0;
  } catch {
    return existsSync(join(folder, "lock.mdb"));
  }
}

function pageBytes(file: number): number {
  const size = readMeta(file, 0).readUInt32LE(48);
  return size >= MIN_PAGE_BYTES && size <= 65_536 ? size : MIN_PAGE_BYTES;
}

/** Bytes of file that the meta page at `at` speaks of. */
function neededBytes(file: number, at: number, path: string): number {
  const meta = readMeta(file, at);
  if (meta.readUInt32LE(24) !== MAGIC) throw new SojournError("E_DISK", `${path} is not a whole LMDB file`, { path });
  // A layout of another version is for LMDB itself to refuse.
  if (meta.readUInt32LE(28) !== DATA_VERSION) return 0;
  return (Number(meta.readBigUInt64LE(144)) + 1) * meta.readUInt32LE(48);
}

function readMeta(file: number, at: number): Buffer {
  const meta = Buffer.alloc(META_BYTES);
  readSync(file, meta, 0, META_BYTES, at);
  return meta;
}
