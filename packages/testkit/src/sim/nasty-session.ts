import { action, defineSession, type SessionContext } from "@sojourn/core";
import { SAID, type Said } from "./counter-session.js";

/** Lets a test hold handlers back, and see what they did on any node, also in turns that were rolled back. */
export class Gate {
  readonly log: string[] = [];
  #open = true;
  readonly #waiting: (() => void)[] = [];

  close(): void {
    this.#open = false;
  }
  open(): void {
    this.#open = true;
    for (const go of this.#waiting.splice(0)) go();
  }
  /** Handlers that are being held back. */
  get waiting(): number {
    return this.#waiting.length;
  }
  pass(): Promise<void> {
    return this.#open ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

interface NastyState {
  seen: Map<string, number[]>;
  total: number;
  ticks: number;
  moves: number;
  fired: string[];
  left: string[];
  woken: string[];
  blob: string;
}

/** Says 1, 2, 3 … like `counter`, and does what handlers should not: waits, hangs, throws, ends. */
export function nastySession(gate: Gate, version = 1, name = "counter") {
  const add = (ctx: SessionContext<NastyState, { said: { who: string; n: number; at: number } }>, { who, n }: Said) => {
    const numbers = ctx.state.seen.get(who);
    if (numbers === undefined) ctx.state.seen.set(who, [n]);
    else numbers.push(n);
    ctx.state.total++;
    ctx.broadcast("said", { who, n, at: ctx.state.total });
    return ctx.state.total;
  };
  return defineSession({
    name,
    version,
    failover: "lease",
    state: (): NastyState => ({ seen: new Map(), total: 0, ticks: 0, moves: 0, fired: [], left: [], woken: [], blob: "" }),
    events: {} as { said: { who: string; n: number; at: number } },
    actions: () => ({
      add: action(SAID, add),
      /** Changes the state, waits at the gate, and goes on. */
      slow: action(SAID, async (ctx: Parameters<typeof add>[0], said) => {
        gate.log.push("slow began");
        const total = add(ctx, said);
        await gate.pass();
        ctx.state.fired.push(`slow ${said.n}`);
        return total;
      }),
      /** Answers at once; work goes on behind. */
      background: action(SAID, (ctx: Parameters<typeof add>[0], said) => {
        ctx.waitUntil(gate.pass());
        return add(ctx, said);
      }),
      fail: action(SAID, (ctx: Parameters<typeof add>[0], said) => {
        add(ctx, said);
        ctx.timers.set("never", 1);
        throw new Error("as asked");
      }),
      alarm: action(SAID, (ctx: Parameters<typeof add>[0], { n }) => {
        ctx.timers.set("alarm", n);
      }),
      fill: action(SAID, (ctx: Parameters<typeof add>[0], { who, n }) => {
        ctx.state.blob = who.repeat(n);
      }),
      read: action(null, (ctx: Parameters<typeof add>[0]) => ({
        seen: Object.fromEntries([...ctx.state.seen].map(([who, numbers]) => [who, [...numbers]])),
        total: ctx.state.total,
        ticks: ctx.state.ticks,
        moves: ctx.state.moves,
        fired: [...ctx.state.fired],
        left: [...ctx.state.left],
        woken: [...ctx.state.woken],
      })),
      end: action(null, (ctx: Parameters<typeof add>[0]) => ctx.end()),
    }),
    timers: {
      alarm: (ctx) => {
        ctx.state.fired.push("alarm");
      },
      never: (ctx) => {
        ctx.state.fired.push("never");
      },
    },
    ...(version === 2 && { upgrade: { 1: (state: Record<string, unknown>) => ({ ...state }) } }),
    onLeave: (ctx, link) => {
      ctx.state.left.push(link.id);
    },
    onWake: (ctx, { reason }) => {
      ctx.state.woken.push(reason);
    },
    onAfterMove: (ctx) => {
      ctx.state.moves++;
    },
  });
}
