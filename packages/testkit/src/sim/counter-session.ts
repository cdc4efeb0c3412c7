import { defineSession } from "@sojourn/core";

/** What clients of `counter` say. */
export interface Said {
  readonly who: string;
  readonly n: number;
}

interface CounterState {
  /** Per client the numbers it sent, in the order they were handled. */
  seen: Map<string, number[]>;
  total: number;
  ticks: number;
  moves: number;
}

/** A Standard Schema for what clients of `counter` say. */
export const SAID = {
  "~standard": {
    version: 1,
    vendor: "sojourn-testkit",
    validate(value: unknown) {
      const said = value as Partial<Said> | null;
      const good = typeof said === "object" && typeof said?.who === "string" && typeof said.n === "number";
      return good ? { value: said as Said } : { issues: [{ message: "expected { who, n }" }] };
    },
    types: undefined as unknown as { readonly input: Said; readonly output: Said },
  },
} as const;

/** A session in which every loss, doubling or reordering shows: it keeps all numbers that it was sent, and broadcasts each. */
export const counter = defineSession({
  name: "counter",
  version: 1,
  // One owner acts at a time, so that each step can be told; who wants two for a moment says so.
  failover: "lease",
  state: (): CounterState => ({ seen: new Map(), total: 0, ticks: 0, moves: 0 }),
  events: {} as { said: { who: string; n: number; at: number } },
  actions: (action) => ({
    add: action(SAID, (ctx, { who, n }) => {
      const numbers = ctx.state.seen.get(who);
      if (numbers === undefined) ctx.state.seen.set(who, [n]);
      else numbers.push(n);
      ctx.state.total++;
      ctx.broadcast("said", { who, n, at: ctx.state.total });
      return ctx.state.total;
    }),
    fail: action(SAID, (ctx, { who }) => {
      ctx.state.seen.delete(who);
      ctx.broadcast("said", { who, n: -1, at: -1 });
      throw new Error("as asked");
    }),
    startTicking: action(null, (ctx) => ctx.timers.set("tick", 50, { everyMs: 50 })),
    read: action(null, (ctx) => ({
      seen: Object.fromEntries([...ctx.state.seen].map(([who, numbers]) => [who, [...numbers]])),
      total: ctx.state.total,
      ticks: ctx.state.ticks,
      moves: ctx.state.moves,
    })),
    end: action(null, (ctx) => ctx.end()),
  }),
  timers: {
    tick: (ctx) => {
      ctx.state.ticks++;
    },
  },
  onAfterMove: (ctx) => {
    ctx.state.moves++;
  },
});
