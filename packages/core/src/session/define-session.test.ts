import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import type { SessionContext } from "./context.js";
import { action, defineSession } from "./define-session.js";
import type { EventsOf, InputOf, ReplyOf, StateOf } from "./definition.js";

const Move = z.object({ x: z.number(), y: z.number().default(3) });

const room = defineSession({
  name: "room",
  version: 2,
  state: () => ({ players: new Map<string, { x: number; y: number }>(), chat: [] as string[] }),
  events: {} as { moved: { id: string; to: { x: number; y: number } } },
  actions: (action) => ({
    move: action(Move, (ctx, to) => {
      expectTypeOf(to).toEqualTypeOf<{ x: number; y: number }>();
      ctx.state.players.set(ctx.link.id, to);
      ctx.broadcast("moved", { id: ctx.link.id, to });
      // @ts-expect-error no such event
      ctx.broadcast("mooved", { id: ctx.link.id, to });
      // @ts-expect-error wrong payload
      ctx.send("a", "moved", 1);
      return to.y;
    }),
    size: action(null, (ctx) => ctx.state.players.size),
    say: action(v.pipe(v.string(), v.maxLength(10)), async (ctx, text) => ({ at: ctx.state.chat.push(text) })),
    count: action(type({ by: "number" }), (_ctx, { by }) => `${by}`),
  }),
  timers: {
    tick: (ctx) => {
      ctx.state.chat.push("tick");
      // @ts-expect-error no such field
      ctx.state.nothing;
    },
  },
  onJoin: (ctx, link) => ctx.state.players.set(link.id, { x: 0, y: 0 }),
  upgrade: { 1: (old: { chat: string[] }) => ({ players: new Map(), chat: old.chat }) },
  cache: { index: "lazy" },
});

describe("defineSession", () => {
  it("types a client from the definition", () => {
    type Room = typeof room;
    expectTypeOf<InputOf<Room, "move">>().toEqualTypeOf<{ x: number; y?: number | undefined }>();
    expectTypeOf<ReplyOf<Room, "move">>().toEqualTypeOf<number>();
    expectTypeOf<InputOf<Room, "size">>().toEqualTypeOf<void>();
    expectTypeOf<ReplyOf<Room, "size">>().toEqualTypeOf<number>();
    expectTypeOf<InputOf<Room, "say">>().toEqualTypeOf<string>();
    expectTypeOf<ReplyOf<Room, "say">>().toEqualTypeOf<{ at: number }>();
    expectTypeOf<InputOf<Room, "count">>().toEqualTypeOf<{ by: number }>();
    expectTypeOf<EventsOf<Room>["moved"]["id"]>().toEqualTypeOf<string>();
    expectTypeOf<StateOf<Room>["chat"]>().toEqualTypeOf<string[]>();
  });

  it("takes a plain table of actions with annotated contexts, and any event when none are declared", () => {
    const counter = defineSession({
      name: "counter",
      version: 1,
      state: () => ({ n: 0 }),
      actions: {
        add: action(z.number(), (ctx: SessionContext<{ n: number }>, by) => {
          ctx.broadcast("added", by);
          ctx.state.n += by;
          return ctx.state.n;
        }),
      },
    });
    expectTypeOf<InputOf<typeof counter, "add">>().toEqualTypeOf<number>();
    expectTypeOf<ReplyOf<typeof counter, "add">>().toEqualTypeOf<number>();
    expect([...counter.actions.keys()]).toEqual(["add"]);
    expect(counter.durability).toBe("strong");
    expect(counter.failover).toBe("suspicion");
    expect(counter.priority).toBe("normal");
  });

  it("collects what it was given", () => {
    expect([...room.actions.keys()]).toEqual(["move", "size", "say", "count"]);
    expect([...room.timers.keys()]).toEqual(["tick"]);
    expect([...room.upgrades.keys()]).toEqual([1]);
    expect([...room.cacheClasses]).toEqual([["index", "lazy"]]);
    expect(Object.keys(room.hooks)).toEqual(["onJoin"]);
  });

  const good = { name: "a", version: 1, state: () => ({}), actions: {} };
  it.each([
    [{ name: "1a" }, "name must be"],
    [{ name: undefined }, "name must be"],
    [{ version: 0 }, "version must be a whole number"],
    [{ version: 1.5 }, "version must be a whole number"],
    [{ state: {} }, "state must be a function"],
    [{ actions: undefined }, "actions are missing"],
    [{ actions: [] }, "actions must be an object"],
    [{ actions: { go: () => 1 } }, "actions.go must be made by action"],
    [{ actions: { go: { schema: {}, handler: () => 1 } } }, "schema of actions.go"],
    [{ actions: { "g o": action(null, () => 1) } }, "not a usable name"],
    [{ timers: { tick: 5 } }, "timers.tick must be a function"],
    [{ onJoin: "x" }, "onJoin must be a function"],
    [{ onJion: () => 1 }, 'unknown field "onJion"'],
    [{ upgrade: { 1: () => ({}) } }, "upgrade.1 must be keyed by an older version"],
    [{ version: 3, upgrade: { x: () => ({}) } }, "upgrade.x must be keyed by an older version"],
    [{ durability: "maybe" }, "durability must be"],
    [{ failover: "never" }, "failover must be"],
    [{ priority: "high" }, "priority must be"],
    [{ cache: { k: "keep" } }, "cache.k must be"],
  ])("refuses %o", (change, message) => {
    expect(() => defineSession({ ...good, ...change } as never)).toThrow(message);
    expect(() => defineSession({ ...good, ...change } as never)).toThrow(expect.objectContaining({ code: "E_DEFINITION_INVALID" }));
  });
});
