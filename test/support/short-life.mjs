// Starts a node, closes it and does nothing more: the process must end by itself. Argument: the directory's endpoint.
import { defineSession, resolveLimits } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, systemCrc32 } from "@sojourn/node";

const limits = resolveLimits();
const session = defineSession({ name: "none", version: 1, state: () => ({}), actions: () => ({}) });
const directory = connectDirectory({
  endpoint: process.argv[2] ?? "",
  limits,
  clock: createSystemClock(),
  random: createSystemRandom(),
  crc32: systemCrc32,
});
const node = await createNode({ id: "short", sessions: [session], directory });
process.send?.(node.self);
await node.close();
await directory.close();
process.disconnect?.();
