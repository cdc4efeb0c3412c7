import { defineSession } from "@sojourn/core";
import { z } from "zod";

export const counter = defineSession({
  name: "counter",
  version: 1,
  state: () => ({ n: 0, seen: [] as number[] }),
  actions: (action) => ({
    add: action(z.number(), (ctx, tag) => {
      ctx.state.seen.push(tag);
      ctx.state.n += 1;
      return ctx.state.n;
    }),
    seen: action(null, (ctx) => [...ctx.state.seen]),
  }),
});
