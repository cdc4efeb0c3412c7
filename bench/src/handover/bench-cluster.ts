import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDiskDirectoryStore } from "@sojourn/adapters/disk";
import { createMemoryDirectoryStore } from "@sojourn/adapters/memory";
import { type Failover, type Limits, resolveLimits } from "@sojourn/core";
import { createSystemClock, startDirectoryServer, systemCrc32 } from "@sojourn/node";
import { Child } from "../common/child.js";
import type { SizedKind } from "../strategies/sized-kind.js";
import type { NodeStart } from "./node-child.js";

/** Nodes and clients in processes of their own; the directory (durable, on disk) in this one. */
export interface BenchCluster {
  readonly nodes: readonly { readonly id: string; readonly child: Child; readonly endpoint: string }[];
  readonly clients: Child;
  /** Holds a folder for each kind that is kept in a store. */
  readonly stores: string;
  stop(): Promise<void>;
}

/** What a cluster for one measurement differs in. */
export interface BenchClusterOptions {
  /** Of the directory; default true. */
  readonly durable?: boolean;
  readonly failover?: Failover;
  /** Kinds besides the 5 KB one of the bench `handover`. */
  readonly kinds?: readonly SizedKind[];
}

/** Starts a cluster for one measurement. */
export async function startBenchCluster(
  ids: readonly string[],
  limits: Partial<Limits>,
  { durable = true, failover = "lease", kinds = [] }: BenchClusterOptions = {},
): Promise<BenchCluster> {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-bench-"));
  const store = durable ? openDiskDirectoryStore({ path: join(folder, "directory"), crc32: systemCrc32 }) : createMemoryDirectoryStore();
  const directory = await startDirectoryServer({
    listen: { host: "127.0.0.1", port: 0 },
    store,
    limits: resolveLimits(limits),
    clock: createSystemClock(),
    crc32: systemCrc32,
  });
  const nodes = await Promise.all(
    ids.map(async (id) => {
      const child = new Child(new URL("./node-child.js", import.meta.url));
      const start: NodeStart = { id, directory: directory.endpoint, limits, failover, kinds, stores: folder };
      const endpoint = await child.ask<string>("start", start);
      return { id, child, endpoint };
    }),
  );
  const clients = new Child(new URL("./clients-child.js", import.meta.url));
  return {
    nodes,
    clients,
    stores: folder,
    async stop() {
      await clients.ask("close");
      await clients.stop();
      for (const { child } of nodes) if (!child.ended) await child.ask("close");
      for (const { child } of nodes) await child.stop();
      await directory.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
