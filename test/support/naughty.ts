import { defineSession } from "@sojourn/core";
import { z } from "zod";

class Handle {
  readonly socket = 7;
}

const UNTRAVELLABLE = { function: () => () => 1, instance: () => new Handle(), symbol: () => Symbol("here") };

/** A session whose handlers, timers and hooks do everything that a definition should not do, each when it is asked to. */
export const naughty = defineSession({
  name: "naughty",
  version: 2,
  state: () => ({ n: 0, deep: { held: null as unknown } }),
  actions: (action) => ({
    add: action(z.number().int(), (ctx, by) => {
      ctx.state.n += by;
      return ctx.state.n;
    }),
    /** Assigns something that cannot travel. */
    keep: action(z.enum(["function", "instance", "symbol"]), (ctx, what) => {
      ctx.state.n += 1_000;
      ctx.state.deep.held = UNTRAVELLABLE[what]();
    }),
    fail: action(null, (ctx) => {
      ctx.state.n += 1_000;
      ctx.timers.set("boom", 0);
      throw new TypeError("as asked");
    }),
    failLater: action(null, async (ctx) => {
      ctx.state.n += 1_000;
      await Promise.resolve();
      throw new TypeError("as asked, later");
    }),
    arm: action(null, (ctx) => ctx.timers.set("boom", 0)),
    /** Never ends in the process of this id. */
    stuckAt: action(z.number(), async (ctx, pid) => {
      ctx.state.n += 1;
      if (process.pid === pid) {
        console.log("stuck");
        await new Promise(() => {});
      }
      return { pid: process.pid, n: ctx.state.n };
    }),
    /** Holds the whole process. */
    block: action(z.number(), (_, ms) => {
      const startedAtMs = performance.now();
      while (performance.now() - startedAtMs < ms);
      return process.pid;
    }),
  }),
  timers: {
    boom: (ctx) => {
      ctx.state.n += 1_000;
      throw new Error("the timer went off");
    },
  },
  onJoin(ctx) {
    if (ctx.session.key === "naughty/closed-door") throw new RangeError("nobody gets in");
  },
  onBeforeMove(ctx) {
    ctx.state.n += 1_000;
    throw new Error("does not want to go");
  },
  onAfterMove(ctx) {
    ctx.state.n += 1_000;
    throw new Error("did not want to come");
  },
});

export { ledger } from "./ledger.js";
