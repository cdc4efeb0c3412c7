// Entry of a node in a process of its own whose sessions are kept in a store on disk, to be killed. It ends with its parent.
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import { resolveLimits } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, systemCrc32 } from "@sojourn/node";
import { LEDGERS } from "./ledgers.js";
import type { FromNode, StartNode } from "./node-messages.js";

const FAILED = 5;

function tell(message: FromNode, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, {}, then);
  else then();
}

async function start({ id, directory, store, port, leaseTtlMs }: StartNode): Promise<void> {
  const limits = { leaseTtlMs, heirDeadlineMs: leaseTtlMs, clientHeartbeatMs: 1_000, baseIntervalMs: 500, snapshotIntervalMs: 500 };
  const ports = { limits: resolveLimits(limits), clock: createSystemClock(), random: createSystemRandom(), crc32: systemCrc32 };
  const node = await createNode({
    id,
    sessions: Object.values(LEDGERS),
    store: await openDiskSessionStore({ path: store }),
    directory: connectDirectory({ endpoint: directory, ...ports }),
    limits,
    listen: { client: { port } },
    on: { incident: (session, code, message) => tell({ t: "incident", session, code, message }) },
  });
  tell({ t: "ready", port: Number(new URL(node.clientEndpoint).port) });
}

process.once("disconnect", () => process.exit(1));
process.on("SIGINT", () => undefined);
process.once("message", (message: StartNode) => {
  start(message).catch((error: unknown) => tell({ t: "failed", message: String(error) }, () => process.exit(FAILED)));
});
