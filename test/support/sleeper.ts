import { defineSession } from "@sojourn/core";
import { z } from "zod";

/** A session that can hold up the whole process it runs in, and says where it runs. */
export const sleeper = defineSession({
  name: "sleeper",
  version: 1,
  // A process that it holds up is to keep it.
  failover: "lease",
  state: () => ({ turns: 0 }),
  actions: (action) => ({
    /** Keeps the event loop of one process busy for so long; elsewhere it returns at once. */
    hold: action(z.object({ pid: z.number(), ms: z.number() }), (ctx, { pid, ms }) => {
      ctx.state.turns++;
      const startedAtMs = performance.now();
      while (process.pid === pid && performance.now() - startedAtMs < ms);
      return process.pid;
    }),
    turns: action(null, (ctx) => ctx.state.turns),
  }),
});
