import { mkdirSync } from "node:fs";
import { openDiskDirectoryStore } from "@sojourn/adapters/disk";
import type { Limits, SojournError } from "@sojourn/core";
import { createSystemClock, type DirectoryServer, startDirectoryServer, systemCrc32 } from "@sojourn/node";

/** Where a directory is served from. */
export interface DirectoryProcessOptions {
  /** A folder of its own; it is made when it is missing. */
  readonly path: string;
  readonly limits: Limits;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly onProblem?: (error: SojournError) => void;
}

/**
 * Serves the embedded directory from this process, kept in LMDB.
 * @throws SojournError (rejects) `E_DISK`, `E_CONFIG_INVALID`
 */
export async function serveDirectory(options: DirectoryProcessOptions): Promise<DirectoryServer> {
  const { path, limits, host = "127.0.0.1", port = 0, onProblem } = options;
  mkdirSync(path, { recursive: true });
  const store = openDiskDirectoryStore({ path, crc32: systemCrc32 });
  try {
    return await startDirectoryServer({
      listen: { host, port },
      store,
      limits,
      clock: createSystemClock(),
      crc32: systemCrc32,
      ...(onProblem && { onProblem }),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}
