import { defineSession } from "@sojourn/core";
import { benchState } from "../common/bench-state.js";
import { WHOLE_NUMBER } from "../common/whole-number.js";

/** A 5 KB session. `say(n)` expects n to follow what it has seen, counts what does not, and answers with the count. */
export const bench = defineSession({
  name: "bench",
  version: 1,
  state: () => ({ ...benchState(), wrong: 0 }),
  actions: (action) => ({
    say: action(WHOLE_NUMBER, (ctx, n) => {
      if (n !== ctx.state.seen + 1) ctx.state.wrong++;
      ctx.state.seen = n;
      const player = ctx.state.players.get(`player-${n % 20}`);
      if (player !== undefined) player.pos.x += 1;
      return n;
    }),
    audit: action(null, (ctx) => ({ seen: ctx.state.seen, wrong: ctx.state.wrong })),
  }),
});
