import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDiskDirectoryStore } from "@sojourn/adapters/disk";
import { createMemoryDirectoryStore } from "@sojourn/adapters/memory";
import { type Directory, type DirectoryStore, resolveLimits } from "@sojourn/core";
import { type DirectoryUnderTest, directoryConformance, VirtualClock } from "@sojourn/testkit";
import { describe, test } from "vitest";
import { createSystemClock } from "../system/clock.js";
import { systemCrc32 } from "../system/crc32.js";
import { createSystemRandom } from "../system/random.js";
import { connectDirectory } from "./client.js";
import { type DirectoryServer, startDirectoryServer } from "./server.js";

const limits = resolveLimits({ directoryRetryMs: 1, directoryTimeoutMs: 10_000 });

/** A server on a virtual clock and clients on the real one, over loopback. */
async function serve(openStore: () => DirectoryStore, cleanUp: () => Promise<void>): Promise<DirectoryUnderTest> {
  const clock = new VirtualClock();
  const clients: Directory[] = [];
  const start = (port: number): Promise<DirectoryServer> =>
    startDirectoryServer({ listen: { host: "127.0.0.1", port }, store: openStore(), limits, clock, crc32: systemCrc32 });
  let server = await start(0);
  const { endpoint } = server;
  const port = Number(endpoint.split(":")[1]);
  return {
    async open() {
      const client = connectDirectory({ endpoint, limits, clock: createSystemClock(), random: createSystemRandom(), crc32: systemCrc32 });
      clients.push(client);
      return client;
    },
    async reopen() {
      await server.close();
      server = await start(port);
    },
    async crash() {
      await server.abort();
      server = await start(port);
    },
    advance: async (ms) => void (await clock.run(ms)),
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
      await cleanUp();
    },
  };
}

describe("server and client, memory store", () => {
  const cases = directoryConformance({
    async start() {
      const store = createMemoryDirectoryStore();
      return serve(
        () => store,
        async () => {},
      );
    },
    durable: true,
    handlesSurvive: true,
    guards: true,
    modelRuns: 40,
  });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});

describe("server and client, LMDB", () => {
  const cases = directoryConformance({
    async start() {
      const path = await mkdtemp(join(tmpdir(), "sojourn-directory-"));
      return serve(
        () => openDiskDirectoryStore({ path, crc32: systemCrc32 }),
        () => rm(path, { recursive: true }),
      );
    },
    durable: true,
    handlesSurvive: true,
    guards: true,
    modelRuns: 10,
  });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});
