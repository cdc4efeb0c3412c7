import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { resolveLimits } from "../limits/catalogue.js";
import { encodePayload } from "../wire/payload.js";
import { defineSession } from "./define-session.js";
import { attachInput, Driver, type TestEnv, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";
import type { SessionCell } from "./session-port.js";
import type { TurnInput, TurnResult } from "./types.js";

const Todo = z.object({
  steps: z.array(
    z.discriminatedUnion("do", [
      z.object({ do: z.literal("count"), by: z.number() }),
      z.object({ do: z.literal("item"), key: z.string(), value: z.number() }),
      z.object({ do: z.literal("deepen"), key: z.string() }),
      z.object({ do: z.literal("drop"), key: z.string() }),
      z.object({ do: z.literal("broadcast"), except: z.array(z.string()), text: z.string() }),
      z.object({ do: z.literal("send"), to: z.string() }),
      z.object({ do: z.literal("timer"), name: z.string(), delayMs: z.number(), everyMs: z.number().optional() }),
      z.object({ do: z.literal("clear"), name: z.string() }),
      z.object({ do: z.literal("cache"), key: z.string(), cacheClass: z.enum(["carry", "lazy", "rebuild"]) }),
      z.object({ do: z.literal("uncache"), key: z.string() }),
      z.object({ do: z.literal("kick"), link: z.string() }),
      z.object({ do: z.literal("end") }),
      z.object({ do: z.literal("throw") }),
    ]),
  ),
  slow: z.boolean(),
});
type Step = z.infer<typeof Todo>["steps"][number];

const room = defineSession({
  name: "room",
  version: 1,
  state: () => ({ count: 0, items: new Map<string, { value: number }>(), log: [] as string[] }),
  actions: (action) => ({
    run: action(Todo, (ctx, { steps, slow }) => {
      const one = (step: Step) => {
        switch (step.do) {
          case "count":
            ctx.state.count += step.by;
            ctx.state.log.push(`${ctx.link.id}${step.by}`);
            break;
          case "item":
            ctx.state.items.set(step.key, { value: step.value });
            break;
          case "deepen": {
            const item = ctx.state.items.get(step.key);
            if (item !== undefined) item.value++;
            break;
          }
          case "drop":
            ctx.state.items.delete(step.key);
            break;
          case "broadcast":
            ctx.broadcast("said", step.text, { except: step.except });
            break;
          case "send":
            ctx.send(step.to, "told", ctx.state.count);
            break;
          case "timer":
            ctx.timers.set(step.name, step.delayMs, step.everyMs === undefined ? undefined : { everyMs: step.everyMs });
            break;
          case "clear":
            ctx.timers.clear(step.name);
            break;
          case "cache":
            ctx.cache.set(step.key, { at: ctx.state.count }, step.cacheClass);
            break;
          case "uncache":
            ctx.cache.delete(step.key);
            break;
          case "kick":
            ctx.kick(step.link);
            break;
          case "end":
            ctx.end();
            break;
          case "throw":
            throw new Error("thrown");
        }
      };
      if (!slow) {
        for (const step of steps) one(step);
        return ctx.state.count;
      }
      return (async () => {
        for (const step of steps) {
          await null;
          one(step);
        }
        return ctx.state.count;
      })();
    }),
  }),
  timers: {
    t1: (ctx) => {
      ctx.state.log.push("t1");
      ctx.broadcast("tick", ctx.state.log.length);
    },
    t2: (ctx) => {
      ctx.timers.set("t2", 30);
      if (ctx.state.count % 3 === 0) throw new Error("t2");
    },
  },
  onJoin: (ctx, link) => {
    ctx.state.items.set(link.id, { value: 0 });
    ctx.broadcast("joined", link.id);
    if (ctx.state.count % 5 === 4) throw new Error("no room");
  },
  onLeave: (ctx, link, reason) => {
    ctx.state.items.delete(link.id);
    ctx.state.log.push(`${link.id} ${reason}`);
    ctx.broadcast("left", link.id);
  },
});

const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const LINKS = ["a", "b", "c"];
const linkId = fc.constantFrom(...LINKS);
const key = fc.constantFrom("k1", "k2");
const timer = fc.constantFrom("t1", "t2");
const step: fc.Arbitrary<Step> = fc.oneof(
  record({ do: fc.constant("count" as const), by: fc.integer({ min: 1, max: 3 }) }),
  record({ do: fc.constant("item" as const), key, value: fc.integer() }),
  record({ do: fc.constant("deepen" as const), key }),
  record({ do: fc.constant("drop" as const), key }),
  record({ do: fc.constant("broadcast" as const), except: fc.subarray(LINKS), text: fc.constantFrom("x", "y".repeat(300)) }),
  record({ do: fc.constant("send" as const), to: linkId }),
  record({ do: fc.constant("timer" as const), name: timer, delayMs: fc.integer({ min: 0, max: 40 }) }),
  record({
    do: fc.constant("timer" as const),
    name: timer,
    delayMs: fc.integer({ min: 0, max: 40 }),
    everyMs: fc.integer({ min: 1, max: 20 }),
  }),
  record({ do: fc.constant("clear" as const), name: timer }),
  record({ do: fc.constant("cache" as const), key, cacheClass: fc.constantFrom("carry" as const, "lazy" as const, "rebuild" as const) }),
  record({ do: fc.constant("uncache" as const), key }),
  record({ do: fc.constant("kick" as const), link: linkId }),
  record({ do: fc.constant("throw" as const) }),
);

type Move =
  | { readonly do: "attach"; readonly link: string; readonly claim: number }
  | { readonly do: "call"; readonly link: string; readonly steps: readonly Step[]; readonly slow: boolean; readonly abort: boolean }
  | { readonly do: "detach" | "leave" | "expire" | "acknowledge" | "repeat"; readonly link: string }
  | { readonly do: "time"; readonly ms: number }
  | { readonly do: "switch" };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: record({ do: fc.constant("attach" as const), link: linkId, claim: fc.integer({ min: -3, max: 1 }) }) },
  {
    weight: 8,
    arbitrary: record({
      do: fc.constant("call" as const),
      link: linkId,
      steps: fc.array(step, { maxLength: 5 }),
      slow: fc.boolean(),
      abort: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: record({
      do: fc.constantFrom("detach" as const, "leave" as const, "expire" as const, "acknowledge" as const, "repeat" as const),
      link: linkId,
    }),
  },
  { weight: 2, arbitrary: record({ do: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 60 }) }) },
  { weight: 1, arbitrary: record({ do: fc.constant("switch" as const) }) },
);

/** One owner and one replica that follows it, with clients that play well; the two may change roles. */
class World {
  readonly envs: readonly [TestEnv, TestEnv];
  owner: Driver;
  replica: SessionCell | null = null;
  readonly tokens = new Map<string, number>();
  lastMessage: TurnInput | null = null;

  constructor() {
    const limits = resolveLimits({ maxOutboxMessages: 12, maxOutboxBytes: 1_500 });
    const first = testEnv({ limits });
    this.envs = [first, testEnv({ limits, self: "b#1", clock: first.clock, codec: first.codec } as Partial<TestEnv>)];
    this.owner = new Driver(room, first);
  }

  follow(): void {
    this.replica = createSessionFactory(room, this.owner.env === this.envs[0] ? this.envs[1] : this.envs[0]).restore(
      "room/1",
      this.owner.cell.snapshot(),
    );
  }

  async run(input: TurnInput, abort = false): Promise<TurnResult> {
    const before = this.owner.cell.version;
    const running = this.owner.cell.run(input, this.replica !== null);
    if (abort) this.owner.cell.abort();
    const result = await running;
    expect(this.owner.cell.version).toBe(before + (result.outcome === "committed" ? 1 : 0));
    expect(result.delta !== null).toBe(result.outcome === "committed" && this.replica !== null);
    if (result.delta !== null) {
      this.replica?.apply(result.delta);
      this.compare();
    }
    return result;
  }

  /** State, timers, cache, departures and everybody else's link are as they were. */
  expectUntouched(before: readonly unknown[], caller: string): void {
    const after = this.owner.image() as unknown[];
    for (const field of [4, 5, 10, 11]) expect(after[field]).toEqual(before[field]);
    const others = (image: readonly unknown[]) =>
      (image[9] as unknown[][]).filter((row) => row[0] !== caller).map((row) => row.slice(0, 14));
    expect(others(after)).toEqual(others(before));
  }

  compare(): void {
    const { replica, owner } = this;
    if (replica === null) return;
    const follower = new Driver(room, owner.env, replica);
    expect(replica.version).toBe(owner.cell.version);
    // Windows that changed between turns reach replicas with the next delta; on a copy the owner's image is as the replica must be.
    expect(follower.image()).toEqual(owner.image());
    expect(replica.nextTimerAtMs()).toBe(owner.cell.nextTimerAtMs());
  }

  async do(move: Move): Promise<void> {
    const { owner } = this;
    switch (move.do) {
      case "attach": {
        const generation = this.tokens.get(move.link) ?? 0;
        const link = owner.cell.links.get(move.link);
        const result = await this.run(
          attachInput(move.link, {
            token: `${move.link}-${generation}`,
            nextToken: `${move.link}-${generation + 1}`,
            lastOut: Math.max(0, (link?.nextOut ?? 1) - 1 + move.claim),
            sent: link?.lastIn ?? 0,
            epoch: generation === 0 ? 0 : 1,
          }),
        );
        if (result.attach?.ok === true) this.tokens.set(move.link, generation + 1);
        return;
      }
      case "call": {
        if (!owner.cell.links.has(move.link)) return;
        this.lastMessage = owner.message(move.link, "run", { steps: move.steps, slow: move.slow }, { ack: owner.link(move.link).ackedOut });
        const before = owner.image() as unknown[];
        const result = await this.run(this.lastMessage, move.abort && move.slow);
        const last = owner.cell.links.get(move.link)?.outbox.at(-1);
        if (result.outcome === "aborted" || last?.kind === "failure") this.expectUntouched(before, move.link);
        else if (last !== undefined) expect(move.steps.some((s) => s.do === "throw")).toBe(false);
        return;
      }
      case "repeat":
        if (this.lastMessage !== null) await this.run(this.lastMessage);
        return;
      case "acknowledge": {
        const link = owner.cell.links.get(move.link);
        if (link !== undefined) owner.cell.acknowledge(link.id, link.generation, link.nextOut - 1);
        return;
      }
      case "time":
        owner.env.clock.ms += move.ms;
        for (let name = owner.cell.dueTimer(); name !== null; name = owner.cell.dueTimer()) await this.run({ kind: "timer", name });
        return;
      case "switch": {
        const { replica } = this;
        if (replica === null) {
          this.follow();
          return;
        }
        const env = owner.env === this.envs[0] ? this.envs[1] : this.envs[0];
        // What clients confirmed between turns reaches a replica with the next turn; here it must have all, to be compared.
        const [any] = owner.cell.links.keys();
        if (any !== undefined) await this.run(owner.message(any, "run", { steps: [], slow: false }));
        this.replica = owner.cell;
        this.owner = new Driver(room, env, replica);
        return;
      }
      default: {
        const link = owner.cell.links.get(move.link);
        if (link !== undefined) await this.run({ kind: move.do, link: move.link, generation: link.generation });
      }
    }
  }
}

describe("a replica", () => {
  it("made from a snapshot at any moment and the deltas after it is the owner's equal", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), fc.nat(10), async (moves, followAt) => {
        const world = new World();
        for (const [i, next] of moves.entries()) {
          if (i === followAt) world.follow();
          await world.do(next);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("exactly once", () => {
  it("holds however messages are doubled and reordered, across a change of owner", () => {
    const counter = defineSession({
      name: "room",
      version: 1,
      state: () => ({ seen: [] as number[] }),
      actions: (action) => ({ put: action(z.number(), (ctx, n) => ctx.state.seen.push(n)) }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(fc.tuple(fc.nat(11), fc.boolean()), { maxLength: 80 }), (count, deliveries) => {
        const env = testEnv();
        let driver = new Driver(counter, env);
        driver.attach("a");
        const deliver = (seq: number) => {
          const lastIn = driver.link("a").lastIn;
          const input: TurnInput = { kind: "message", link: "a", generation: 1, seq, ack: 0, action: "put", payload: encodePayload(seq) };
          const { outcome } = driver.run(input);
          expect(outcome).toBe(seq <= lastIn ? "duplicate" : seq === lastIn + 1 ? "committed" : "early");
        };
        for (const [at, moves] of deliveries) {
          if (moves) driver = new Driver(counter, env, createSessionFactory(counter, env).restore("room/1", driver.cell.snapshot()));
          deliver((at % count) + 1);
        }
        for (let seq = 1; seq <= count; seq++) deliver(seq);
        const all = Array.from({ length: count }, (_, i) => i + 1);
        expect((driver.image() as unknown[])[4]).toEqual({ seen: all });
        expect(driver.outbox("a").map((m) => m.answers)).toEqual(all);
      }),
    );
  });
});

describe("a delta", () => {
  function ownerAndReplica() {
    const env = testEnv();
    const owner = new Driver(room, env);
    owner.attach("a");
    owner.attach("b");
    const replica = createSessionFactory(room, env).restore("room/1", owner.cell.snapshot());
    const run = (steps: Step[]) =>
      (owner.cell.run(owner.message("a", "run", { steps, slow: false }), true) as TurnResult).delta as Uint8Array;
    return { env, owner, replica, run, image: () => env.codec.decode(replica.snapshot()) };
  }

  it("must be the next one", () => {
    const { replica, run, image } = ownerAndReplica();
    const first = run([{ do: "count", by: 1 }]);
    const second = run([{ do: "count", by: 1 }]);
    const before = image();
    expect(() => replica.apply(second)).toThrow(expect.objectContaining({ code: "E_DELTA_GAP" }));
    expect(image()).toEqual(before);
    replica.apply(first);
    expect(() => replica.apply(first)).toThrow(expect.objectContaining({ code: "E_DELTA_GAP" }));
    replica.apply(second);
    expect(replica.version).toBe(4);
  });

  it("that is damaged in any way leaves the replica as it was", () => {
    const { env, owner, run } = ownerAndReplica();
    const snapshot = owner.cell.snapshot();
    const factory = createSessionFactory(room, env);
    let replica = factory.restore("room/1", snapshot);
    let refused = 0;
    const delta = run([
      { do: "count", by: 1 },
      { do: "item", key: "k1", value: 1 },
      { do: "broadcast", except: ["a"], text: "x" },
      { do: "send", to: "b" },
      { do: "timer", name: "t1", delayMs: 5 },
      { do: "cache", key: "k1", cacheClass: "carry" },
      { do: "kick", link: "b" },
    ]);
    const ops = env.codec.decode(delta) as unknown[];
    const before = env.codec.decode(snapshot);
    for (let at = 1; at < ops.length; at++) {
      for (const wrong of [-1, 99, null, "zz", Number.NaN, [Number.NaN], { x: 1 }]) {
        try {
          replica.apply(env.codec.encode(ops.map((op, i) => (i === at ? wrong : op))));
          // Some wrong values are well-formed ones (another name, any cached value).
          replica = factory.restore("room/1", snapshot);
        } catch (error) {
          refused++;
          expect(error).toMatchObject({ code: "E_CODEC_CORRUPT" });
          expect(env.codec.decode(replica.snapshot())).toEqual(before);
        }
      }
    }
    expect(refused).toBeGreaterThan(ops.length * 4);
  });

  it.each([
    ["an unknown operation", [99]],
    ["a cut operation", [1, "name"]],
    ["an unknown link", [8, 7]],
    ["a link that it removed itself", [9, 1, null, 8, 1]],
    ["a departure that is none", [10, "a"]],
    ["a payload that is no bytes", [1, "name", "text"]],
    ["a negative time", [13, "t1", -1, null]],
    ["a patch that does not fit", [11, [[["nowhere"], 0, "x", 1]]]],
  ])("with %s is refused", (_, tail) => {
    const { env, replica, image } = ownerAndReplica();
    const before = image();
    expect(() => replica.apply(env.codec.encode([3, 8, 1, ...tail]))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
    expect(image()).toEqual(before);
    expect(() => replica.apply(env.codec.encode({ version: 3 }))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
  });

  it("carries each confirmation once", () => {
    const { owner, run } = ownerAndReplica();
    run([]);
    const plain = run([]).length;
    owner.cell.acknowledge("b", 1, 1);
    expect(run([]).length).toBeGreaterThan(plain);
    expect(run([]).length).toBe(plain);
  });

  it("carries the end of the session, and what was still to come is off", () => {
    const { owner, replica, run, image } = ownerAndReplica();
    replica.apply(run([{ do: "kick", link: "b" }]));
    expect(replica.dueTimer()).not.toBe(null);
    replica.apply(run([{ do: "end" }]));
    expect([replica.ended, replica.links.size, replica.dueTimer()]).toEqual([true, 0, null]);
    expect(image()).toEqual(owner.image());
    expect((image() as unknown[])[10]).toEqual([]);
  });

  it("is small: a broadcast goes in once, however many links there are", () => {
    const { owner, run } = ownerAndReplica();
    const two = run([{ do: "broadcast", except: [], text: "y".repeat(300) }]).length;
    for (let i = 0; i < 50; i++) owner.attach(`link-${i}`);
    expect(run([{ do: "broadcast", except: [], text: "y".repeat(300) }]).length).toBeLessThanOrEqual(two);
  });
});

describe("a snapshot", () => {
  it("that is damaged is refused", () => {
    const env = testEnv();
    const owner = new Driver(room, env);
    owner.attach("a");
    const fields = owner.image() as unknown[];
    const factory = createSessionFactory(room, env);
    for (let at = 0; at < fields.length; at++) {
      for (const wrong of [-1, "zz", [[{}]]]) {
        if (at === 4 && typeof wrong === "object") continue;
        const bytes = env.codec.encode(fields.map((field, i) => (i === at ? wrong : field)));
        expect(() => factory.restore("room/1", bytes)).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
      }
    }
    expect(() => factory.restore("room/1", env.codec.encode([]))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
  });

  it("writes a message that many links wait for once", () => {
    const env = testEnv();
    const owner = new Driver(room, env);
    for (let i = 0; i < 20; i++) owner.attach(`link-${i}`);
    for (const { id, nextOut } of owner.cell.links.values()) owner.cell.acknowledge(id, 1, nextOut - 1);
    const before = owner.cell.snapshot().length;
    owner.call("link-0", "run", { steps: [{ do: "broadcast", except: [], text: "y".repeat(300) }], slow: false });
    expect(owner.cell.snapshot().length - before).toBeLessThan(600);
    const again = createSessionFactory(room, env).restore("room/1", owner.cell.snapshot());
    const payloads = new Set([...again.links.values()].map((link) => link.outbox[0]?.payload));
    expect(payloads.size).toBe(1);
  });
});
