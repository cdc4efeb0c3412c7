// A directory in a process of its own, for tests that kill it. Arguments: folder, port. Tells its endpoint to its parent and ends with it.
import { openDiskDirectoryStore } from "@sojourn/adapters/disk";
import { resolveLimits } from "@sojourn/core";
import { createSystemClock, startDirectoryServer, systemCrc32 } from "@sojourn/node";

const [path, port] = process.argv.slice(2);
process.once("disconnect", () => process.exit(1));
const { endpoint } = await startDirectoryServer({
  listen: { host: "127.0.0.1", port: Number(port) },
  store: openDiskDirectoryStore({ path, crc32: systemCrc32 }),
  limits: resolveLimits(),
  clock: createSystemClock(),
  crc32: systemCrc32,
});
process.send?.(endpoint);
