// Entry of a directory in a process of its own, which can be killed, stopped and given a bad disk. It ends with its parent.
import { openDiskDirectoryStore } from "@sojourn/adapters/disk";
import { type DirectoryStore, resolveLimits } from "@sojourn/core";
import { createSystemClock, startDirectoryServer, systemCrc32 } from "@sojourn/node";
import type { FromDirectoryProcess, ToDirectoryProcess } from "./directory-messages.js";

const FAILED = 5;
let appendDelayMs = 0;

function tell(message: FromDirectoryProcess, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, {}, then);
  else then();
}

function fail(error: unknown): void {
  tell({ t: "failed", message: String(error) }, () => process.exit(FAILED));
}

/** A disk that takes its time before it says that something is written. */
function slowed(store: DirectoryStore): DirectoryStore {
  return {
    load: () => store.load(),
    async append(changes) {
      if (appendDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, appendDelayMs));
      await store.append(changes);
    },
    close: () => store.close(),
  };
}

async function start({ path, port, limits }: Extract<ToDirectoryProcess, { t: "start" }>): Promise<void> {
  const server = await startDirectoryServer({
    listen: { host: "127.0.0.1", port },
    store: slowed(openDiskDirectoryStore({ path, crc32: systemCrc32 })),
    limits: resolveLimits(limits),
    clock: createSystemClock(),
    crc32: systemCrc32,
    onProblem(error) {
      // A store that failed is not written to again: whoever runs the directory starts it again when there is room.
      if (error.code === "E_DISK") fail(error);
    },
  });
  tell({ t: "ready", endpoint: server.endpoint });
}

process.once("disconnect", () => process.exit(1));
process.on("SIGINT", () => undefined);
process.on("message", (message: ToDirectoryProcess) => {
  if (message.t === "slow") appendDelayMs = message.appendDelayMs;
  else start(message).catch(fail);
});
