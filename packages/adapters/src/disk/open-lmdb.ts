import { setImmediate as nextTurn } from "node:timers/promises";
import { SojournError } from "@sojourn/core";
import { open, type RootDatabase } from "lmdb";
import { checkLmdbFile } from "./lmdb-file.js";

const FORMAT_KEY = "format";

/**
 * Opens an LMDB environment of one format, or makes it, and its tables. A put's promise is only as good as its commit: with LMDB's "overlapping sync" it
 * settles before the data is flushed, and a failed flush is never told. With "event turn batching" a failed commit (a full disk) also
 * rejects a promise that nobody holds, which ends the process. So both are off; writes of one turn still share a commit.
 * @throws SojournError `E_DISK` when the folder cannot be used or holds something else
 */
export function openLmdb<T>(path: string, format: string, tables: (root: RootDatabase<string, string>) => T): T {
  checkLmdbFile(path);
  const root = open<string, string>({
    path,
    encoding: "string",
    overlappingSync: false,
    eventTurnBatching: false,
    noSubdir: false,
    maxDbs: 8,
  });
  try {
    // In a damaged file opening a table is an error where reading a value may be the end of the process: so the tables come first.
    const opened = tables(root);
    const found = root.get(FORMAT_KEY);
    if (found !== undefined && found !== format) throw new SojournError("E_DISK", `the folder holds "${String(found).slice(0, 40)}"`);
    if (found === undefined) root.putSync(FORMAT_KEY, format);
    return opened;
  } catch (error) {
    void root.close();
    throw error;
  }
}

/** Runs what may throw LMDB's own errors, or anything of the file system. @throws SojournError `E_DISK` */
export function asDiskError<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof SojournError && cause.code === "E_DISK") throw cause;
    throw new SojournError("E_DISK", what, {}, cause);
  }
}

/** A write that rejects with the reason of its failed commit. Every write that LMDB promises goes through here, or through `endsOf`. */
export async function committed<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (failure) {
    throw await reasonOf(failure);
  }
}

/** How writes of a group ended, each by itself: with its answer, or with the reason of its failed commit. */
export function endsOf<T>(writes: readonly Promise<T>[]): Promise<readonly WriteEnd<T>[]> {
  return new Promise((resolve) => {
    const ends: WriteEnd<T>[] = [];
    let left = writes.length;
    if (left === 0) resolve(ends);
    const end = (i: number, how: WriteEnd<T>): void => {
      ends[i] = how;
      if (--left === 0) resolve(ends);
    };
    for (const [i, write] of writes.entries()) {
      write.then(
        (answer) => end(i, { answer }),
        (failure: unknown) => void reasonOf(failure).then((reason) => end(i, { reason })),
      );
    }
  });
}

/** How one write ended. */
export type WriteEnd<T> = { readonly answer: T } | { readonly reason: unknown };

/** LMDB gives the reason as a promise in the error, rejected within the same turn, or never; left alone it would end the process. */
async function reasonOf(failure: unknown): Promise<unknown> {
  let reason = failure;
  if (failure instanceof Error && "commitError" in failure) {
    Promise.resolve(failure.commitError).catch((cause: unknown) => {
      reason = cause;
    });
    await nextTurn();
  }
  return reason;
}
