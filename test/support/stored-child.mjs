// A node in a process of its own whose sessions are kept in a store on disk, for tests that kill it. Arguments: id, endpoint of the
// directory, folder of the store, port for clients. Tells its parent its port for clients, then every incident, and ends with it.
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import { defineSession, resolveLimits } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, systemCrc32 } from "@sojourn/node";

const [id, endpoint, path, port] = process.argv.slice(2);
process.once("disconnect", () => process.exit(1));
const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
/** What support/ledger.ts defines, kept by a log. */
const ledger = defineSession({
  name: "ledger",
  version: 1,
  strategy: "hybrid",
  state: () => ({ count: 0, wrong: [] }),
  actions: (action) => ({
    say: action(anything, (ctx, tag) => {
      ctx.state.count++;
      if (tag !== ctx.state.count && ctx.state.wrong.length < 10) ctx.state.wrong.push(tag);
      ctx.broadcast("said", tag);
      return ctx.state.count;
    }),
    books: action(null, (ctx) => ({ count: ctx.state.count, wrong: [...ctx.state.wrong] })),
  }),
});
const limits = { leaseTtlMs: 2_500, clientHeartbeatMs: 500, baseIntervalMs: 200 };
const ports = { limits: resolveLimits(limits), clock: createSystemClock(), random: createSystemRandom(), crc32: systemCrc32 };
const node = await createNode({
  id,
  sessions: [ledger],
  store: await openDiskSessionStore({ path }),
  directory: connectDirectory({ endpoint, ...ports }),
  limits,
  listen: { client: { port: Number(port) } },
  on: { incident: (_session, code, message) => process.send?.({ code, message }) },
});
process.send?.({ port: Number(new URL(node.clientEndpoint).port) });
