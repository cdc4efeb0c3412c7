import { defineSession } from "@sojourn/core";
import { z } from "zod";

/** A session that keeps books on one client's numbered calls: each must come once and in order. */
export const ledger = defineSession({
  name: "ledger",
  version: 1,
  // What happens when a lease ends can be told apart only where nobody takes over before.
  failover: "lease",
  state: () => ({ count: 0, wrong: [] as number[] }),
  events: {} as { said: number },
  actions: (action) => ({
    say: action(z.number(), (ctx, tag) => {
      ctx.state.count++;
      if (tag !== ctx.state.count && ctx.state.wrong.length < 10) ctx.state.wrong.push(tag);
      ctx.broadcast("said", tag);
      return ctx.state.count;
    }),
    books: action(null, (ctx) => ({ count: ctx.state.count, wrong: [...ctx.state.wrong] })),
  }),
});
