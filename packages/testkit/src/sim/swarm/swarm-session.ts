import { action, defineSession, type Failover, type SessionContext, type SessionDefinition } from "@sojourn/core";
import { chain, hashText } from "./trace.js";

/** What a client says. */
export interface Saying {
  readonly who: string;
  readonly n: number;
}

/** Where a turn stands in the life of its session: every two that say the same `at` must say the same `sum`. */
export interface Stamp {
  readonly life: number;
  readonly at: number;
  readonly sum: number;
}

/** What `read` tells. */
export interface Reading extends Stamp {
  readonly seen: Readonly<Record<string, number>>;
  readonly armed: readonly number[];
  readonly fired: readonly number[];
}

interface SwarmState {
  /** Drawn when the session begins; one that lost its state has another. */
  life: number;
  total: number;
  /** Depends on every message handled so far, in order. */
  sum: number;
  seen: Map<string, number>;
  armed: number[];
  fired: number[];
  blob: string;
  blobSum: number;
  /** Written in place by every message, where there are any; `pagesSum` is what they add up to. */
  pages: Uint8Array;
  pagesSum: number;
  moves: number;
}

interface SwarmEvents {
  said: Stamp & Saying;
}

/** What the definition tells whoever runs the simulation. */
export interface Audit {
  /** A promise was found broken from within a session. */
  problem(text: string): void;
  /** A handler runs; it may be rolled back, or be of an owner that nobody hears. */
  turn(session: string, what: string, a: number, b: number): void;
  /** A session goes on at a node that had not run it. */
  wakes(session: string, life: number): void;
  /** A timer is armed, or fires; `timer` names it together with how often it was armed before. */
  armed(timer: string, forMs: number): void;
  fired(timer: string): void;
  /** Simulated input and output that takes a while. */
  io(session: string, ms: number): Promise<void>;
}

/** Places that a message writes to. */
const PAGE_WRITES = 3;

/** How many timers a session has. */
export const TIMERS = 4;

/** Takes anything: only the simulated clients call. */
function any<T>() {
  return {
    "~standard": {
      version: 1,
      vendor: "sojourn-testkit",
      validate: (value: unknown) => ({ value: value as T }),
      types: undefined as unknown as { readonly input: T; readonly output: T },
    },
  } as const;
}

type Ctx = SessionContext<SwarmState, SwarmEvents>;

/** Makes text of this length that differs from that of other numbers in every place. */
function pattern(n: number, length: number): string {
  return String.fromCharCode(97 + (Math.abs(n) % 26)).repeat(length);
}

/**
 * A session in which every loss, doubling, reordering or damage shows: each turn checks its part, and every turn on a new node checks
 * the whole state. `version` 2 is the same with an upgrade.
 */
export function swarmDefinition(
  audit: Audit,
  version: 1 | 2,
  failover: Failover,
  strategy: "replica" | "hybrid" = "replica",
): SessionDefinition {
  const check = (ctx: Ctx, where: string): void => {
    const { state, session } = ctx;
    let handled = 0;
    for (const n of state.seen.values()) handled += n;
    if (handled !== state.total)
      audit.problem(`I8: ${session.key} ${where}: ${handled} messages counted one by one, ${state.total} in all`);
    if (hashText(state.blob.slice(0, 64)) + state.blob.length !== state.blobSum)
      audit.problem(`I8: ${session.key} ${where}: the blob does not match its sum`);
    for (let i = 0; i < TIMERS; i++) {
      const pending = (state.armed[i] as number) - (state.fired[i] as number);
      if (pending < 0 || pending > 1)
        audit.problem(`I7: ${session.key} ${where}: timer ${i} fired ${state.fired[i]} times of ${state.armed[i]}`);
      if (pending === 1 && ctx.timers.remaining(`t${i}`) === undefined) audit.problem(`I7: ${session.key} ${where}: timer ${i} is lost`);
    }
  };
  const checkPages = ({ state, session }: Ctx, where: string): void => {
    let sum = 0;
    for (const byte of state.pages) sum += byte;
    if (sum !== state.pagesSum) audit.problem(`I8: ${session.key} ${where}: pages add up to ${sum}, not ${state.pagesSum}`);
  };
  const write = (state: SwarmState, n: number): void => {
    for (let i = 0; i < PAGE_WRITES; i++) {
      const at = (chain(state.sum, i) >>> 0) % state.pages.length;
      state.pagesSum += (n % 251) - (state.pages[at] as number);
      state.pages[at] = n % 251;
    }
  };
  const say = (ctx: Ctx, { who, n }: Saying): Stamp => {
    const { state } = ctx;
    audit.turn(ctx.session.key, "say", hashText(who), n);
    const last = state.seen.get(who) ?? 0;
    if (n !== last + 1) audit.problem(`I4: ${ctx.session.key} handles ${n} of ${who} after ${last}`);
    state.seen.set(who, n);
    state.total++;
    state.sum = chain(chain(state.sum, hashText(who)), n);
    const { life, total: at, sum } = state;
    if (state.pages.length > 0) write(state, n);
    ctx.broadcast("said", { life, at, sum, who, n });
    return { life, at, sum };
  };
  const timerOf = ({ session, state }: Ctx, i: number, before: number) => `${session.key} ${state.life} t${i} ${before}`;
  const timers: Record<string, (ctx: Ctx) => void> = {};
  for (let i = 0; i < TIMERS; i++) {
    timers[`t${i}`] = (ctx) => {
      audit.turn(ctx.session.key, "timer", i, ctx.state.fired[i] as number);
      audit.fired(timerOf(ctx, i, ctx.state.fired[i] as number));
      ctx.state.fired[i] = (ctx.state.fired[i] as number) + 1;
      if ((ctx.state.fired[i] as number) > (ctx.state.armed[i] as number)) audit.problem(`I7: ${ctx.session.key}: timer ${i} fired twice`);
    };
  }
  return defineSession({
    name: "swarm",
    version,
    failover,
    strategy,
    state: (): SwarmState => ({
      life: 0,
      total: 0,
      sum: 0,
      seen: new Map(),
      armed: new Array<number>(TIMERS).fill(0),
      fired: new Array<number>(TIMERS).fill(0),
      blob: "",
      blobSum: hashText(""),
      pages: new Uint8Array(0),
      pagesSum: 0,
      moves: 0,
    }),
    events: {} as SwarmEvents,
    actions: {
      say: action(any<Saying>(), say),
      /** Changes the state, waits for something outside, and goes on. */
      io: action(any<Saying & { readonly ms: number }>(), async (ctx: Ctx, input: Saying & { readonly ms: number }) => {
        const stamp = say(ctx, input);
        await audit.io(ctx.session.key, input.ms);
        ctx.state.moves += 0;
        return stamp;
      }),
      arm: action(
        any<{ readonly i: number; readonly ms: number }>(),
        (ctx: Ctx, { i, ms }: { readonly i: number; readonly ms: number }) => {
          if (ctx.state.armed[i] !== ctx.state.fired[i]) return;
          audit.turn(ctx.session.key, "arm", i, ms);
          audit.armed(timerOf(ctx, i, ctx.state.armed[i] as number), ms);
          ctx.state.armed[i] = (ctx.state.armed[i] as number) + 1;
          ctx.timers.set(`t${i}`, ms);
        },
      ),
      fill: action(any<{ readonly bytes: number }>(), (ctx: Ctx, { bytes }: { readonly bytes: number }) => {
        audit.turn(ctx.session.key, "fill", bytes, 0);
        if (bytes % 2 === 1) {
          ctx.state.pages = new Uint8Array(bytes);
          ctx.state.pagesSum = 0;
          write(ctx.state, bytes);
          return;
        }
        ctx.state.blob = pattern(bytes, bytes);
        ctx.state.blobSum = hashText(ctx.state.blob.slice(0, 64)) + bytes;
      }),
      read: action(null, (ctx: Ctx): Reading => {
        check(ctx, "when read");
        const { life, total: at, sum, seen, armed, fired } = ctx.state;
        return { life, at, sum, seen: Object.fromEntries(seen), armed: [...armed], fired: [...fired] };
      }),
      end: action(null, (ctx: Ctx) => {
        audit.turn(ctx.session.key, "end", 0, 0);
        ctx.end();
      }),
    },
    timers,
    ...(version === 2 && { upgrade: { 1: (old: Record<string, unknown>) => ({ ...old }) } }),
    onCreate: (ctx) => {
      ctx.state.life = Math.floor(ctx.random() * 4_294_967_296);
      audit.turn(ctx.session.key, "create", ctx.state.life, 0);
    },
    onWake: (ctx, { reason }) => {
      audit.turn(ctx.session.key, "wake", hashText(reason), ctx.state.total);
      audit.wakes(ctx.session.key, ctx.state.life);
      check(ctx, `after waking (${reason})`);
      checkPages(ctx, `after waking (${reason})`);
    },
    onAfterMove: (ctx) => {
      audit.turn(ctx.session.key, "moved", ctx.state.moves, ctx.state.total);
      ctx.state.moves++;
      check(ctx, "after a move");
      checkPages(ctx, "after a move");
    },
  }) as unknown as SessionDefinition;
}
