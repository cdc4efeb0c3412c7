import { defineSession } from "@sojourn/core";
import { z } from "zod";

/** Loading this file shows that TypeScript works: an enum is not plain JavaScript with annotations. */
enum Step {
  One = 1,
}

export const counter = defineSession({
  name: "counter",
  version: 1,
  state: () => ({ n: 0, seen: [] as number[] }),
  actions: (action) => ({
    add: action(z.number(), (ctx, tag) => {
      ctx.state.seen.push(tag);
      ctx.state.n += Step.One;
      return ctx.state.n;
    }),
    seen: action(null, (ctx) => [...ctx.state.seen]),
  }),
});
