import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { SessionContext } from "./context.js";
import { defineSession } from "./define-session.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import type { TurnResult } from "./types.js";

interface Gate {
  readonly promise: Promise<unknown>;
  open(value?: unknown): void;
  fail(error: unknown): void;
}

function gate(): Gate {
  let open: (value?: unknown) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open: (value) => open(value), fail: (error) => fail(error) };
}

interface State {
  n: number;
  items: { v: number }[];
}

function setup() {
  const gates: Gate[] = [];
  const kept: { ctx?: SessionContext<State>; state?: State; item?: { v: number } | undefined } = {};
  const strays: Promise<unknown>[] = [];
  const wait = () => {
    const g = gate();
    gates.push(g);
    return g.promise;
  };
  const code = async (use: () => unknown) => {
    try {
      await use();
      return "no error";
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  const room = defineSession({
    name: "room",
    version: 1,
    state: (): State => ({ n: 0, items: [{ v: 0 }] }),
    actions: (action) => ({
      slow: action(null, async (ctx) => {
        ctx.state.n++;
        ctx.broadcast("before", 1);
        ctx.timers.set("tick", 5);
        ctx.cache.set("k", 1);
        const got = await wait();
        ctx.state.n++;
        ctx.broadcast("after", got);
        ctx.kick("b");
        return ctx.state.n;
      }),
      // The promise comes from a plain function: nothing tells in advance that the turn is asynchronous.
      sly: action(null, (ctx) => wait().then(() => ++ctx.state.n)),
      slowSchema: action(
        z.number().refine(async (n) => (await wait()) === "fine" && n > 0, "not fine"),
        (ctx, by) => {
          ctx.state.n += by;
          return ctx.state.n;
        },
      ),
      keep: action(null, (ctx) => {
        kept.ctx = ctx;
        kept.state = ctx.state;
        kept.item = ctx.state.items[0];
      }),
      stray: action(null, (ctx) => {
        const { state } = ctx;
        strays.push(
          wait().then(async () => [
            await code(() => ctx.state),
            await code(() => ctx.broadcast("x", 1)),
            await code(() => ctx.timers.set("tick", 1)),
            await code(() => ctx.cache.set("k", 1)),
            await code(() => ctx.cache.get("k")),
            await code(() => ctx.links.size),
            await code(() => ctx.kick("a")),
            await code(() => ctx.end()),
            await code(() => ctx.waitUntil(Promise.resolve())),
            await code(() => ctx.effectKey()),
            await code(() => {
              state.n = 77;
            }),
            await code(() => state.items.push({ v: 1 })),
          ]),
        );
      }),
      lazyThenable: action(null, (ctx) => ({
        // biome-ignore lint/suspicious/noThenProperty: what query builders return
        then: (resolve: (value: number) => void) => resolve(++ctx.state.n),
      })),
      inc: action(null, (ctx) => ++ctx.state.n),
    }),
    timers: { tick: () => {} },
  });
  const driver = new Driver(room, testEnv());
  driver.attach("a");
  driver.attach("b");
  const start = (action: string, value?: unknown) => driver.cell.run(driver.message("a", action, value), true) as Promise<TurnResult>;
  return { driver, gates, kept, strays, start, code };
}

const ENDED = "E_TURN_ENDED";

describe("an asynchronous turn", () => {
  it.each(["slow", "sly"])("is atomic and alone (%s)", async (action) => {
    const { driver, gates, start } = setup();
    const turn = start(action);
    expect(turn).toBeInstanceOf(Promise);
    expect(driver.cell.busy).toBe(true);
    expect(driver.cell.version).toBe(2);
    expect(driver.outbox("b")).toEqual([]);
    expect(() => driver.call("b", "inc")).toThrow(expect.objectContaining({ code: "E_INTERNAL" }));
    expect(() => driver.cell.snapshot()).toThrow("while a turn is in hand");
    expect(() => driver.cell.apply(new Uint8Array())).toThrow("while a turn is in hand");
    gates[0]?.open("got");
    const result = await turn;
    expect(result).toMatchObject({ outcome: "committed", version: 3 });
    expect(driver.cell.busy).toBe(false);
    expect(driver.last("a")).toMatchObject({ kind: "reply", value: action === "slow" ? 2 : 1 });
    if (action === "slow") expect(driver.outbox("a").map((m) => m.name)).toEqual(["before", "after", ""]);
  });

  it("is rolled back whole when it rejects", async () => {
    const { driver, gates, start } = setup();
    const turn = start("slow");
    gates[0]?.fail(new Error("no"));
    expect(await turn).toMatchObject({ outcome: "committed", closed: [] });
    expect(driver.outbox("a")).toMatchObject([{ kind: "failure", name: "E_HANDLER_FAILED", value: { message: "no" } }]);
    expect(driver.cell.nextTimerAtMs()).toBe(null);
    driver.call("a", "inc");
    expect(driver.last("a")?.value).toBe(1);
  });

  it("covers an asynchronous schema", async () => {
    const { driver, gates, start } = setup();
    // zod tries synchronously first and starts again when that does not work: all its attempts must be let through.
    const openAll = (answer: string) => {
      for (const g of gates.splice(0)) g.open(answer);
    };
    let turn = start("slowSchema", 5);
    expect(turn).toBeInstanceOf(Promise);
    openAll("fine");
    await turn;
    expect(driver.last("a")).toMatchObject({ kind: "reply", value: 5 });
    turn = start("slowSchema", 5);
    openAll("bad");
    await turn;
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_INPUT_INVALID", value: { message: "not fine" } });
  });

  it("takes anything that can be awaited, inside the turn", async () => {
    const { driver, start } = setup();
    await start("lazyThenable");
    expect(driver.last("a")).toMatchObject({ kind: "reply", value: 1 });
  });

  it("lets confirmations through meanwhile", async () => {
    const { driver, gates, start } = setup();
    driver.call("b", "inc");
    const turn = start("slow");
    driver.cell.acknowledge("b", 1, 1);
    expect(driver.outbox("b")).toEqual([]);
    gates[0]?.open();
    await turn;
  });
});

describe("abort", () => {
  it("takes the turn back whole; what its handler still does is void", async () => {
    const { driver, gates, start } = setup();
    driver.cell.acknowledge("a", 1, 0);
    const image = driver.image();
    const turn = start("slow");
    driver.cell.abort();
    expect(await turn).toMatchObject({ outcome: "aborted", version: 2, delta: null });
    expect(driver.cell.busy).toBe(false);
    expect(driver.image()).toEqual(image);
    gates[0]?.open();
    await gates[0]?.promise;
    await Promise.resolve();
    expect(driver.image()).toEqual(image);
    driver.call("a", "inc");
    expect(driver.last("a")).toMatchObject({ kind: "reply", answers: 1, value: 1 });
  });

  it("swallows what the handler rejects with", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    const { driver, gates, start } = setup();
    const turn = start("slow");
    driver.cell.abort();
    await turn;
    gates[0]?.fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
    driver.cell.abort();
  });

  it("keeps a stray handler of an aborted turn out of the next one", async () => {
    const { driver, gates, start } = setup();
    const first = start("sly");
    driver.cell.abort();
    await first;
    const second = start("slow");
    gates[0]?.open();
    await gates[0]?.promise;
    await Promise.resolve();
    gates[1]?.open();
    await second;
    expect(driver.last("a")).toMatchObject({ kind: "reply", value: 2 });
  });
});

describe("a turn that is over", () => {
  it("cannot be used any more, neither between turns nor in the next one", async () => {
    const { driver, kept, start, gates, code } = setup();
    driver.call("a", "keep");
    const { ctx, state, item } = kept;
    if (ctx === undefined || state === undefined || item === undefined) throw new Error("not kept");
    const write = () => {
      state.n = 5;
    };
    const writeDeep = () => {
      item.v = 5;
    };
    for (const use of [() => ctx.state, () => ctx.link, () => ctx.broadcast("x", 1), write, writeDeep]) expect(await code(use)).toBe(ENDED);
    const turn = start("slow");
    for (const use of [() => ctx.state, () => ctx.send("a", "x", 1), write, writeDeep]) expect(await code(use)).toBe(ENDED);
    gates[0]?.open();
    await turn;
    expect(driver.last("a")?.value).toBe(2);
  });

  it.each([false, true])("keeps stray continuations out (asynchronous turn in hand: %s)", async (inHand) => {
    const { driver, gates, strays, start } = setup();
    driver.call("a", "stray");
    const turn = inHand ? start("slow") : null;
    gates[0]?.open();
    expect(await strays[0]).toEqual(Array(12).fill(ENDED));
    if (turn !== null) {
      gates[1]?.open();
      await turn;
      expect(driver.last("a")?.value).toBe(2);
    }
  });
});
