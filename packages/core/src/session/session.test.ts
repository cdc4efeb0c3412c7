import { describe, expect, it } from "vitest";
import { z } from "zod";
import { resolveLimits } from "../limits/catalogue.js";
import { defineSession } from "./define-session.js";
import { attachInput, Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";

const room = defineSession({
  name: "room",
  version: 1,
  state: () => ({ n: 0, log: [] as string[], players: new Map<string, number>() }),
  actions: (action) => ({
    add: action(z.number(), (ctx, by) => {
      ctx.state.n += by;
      return ctx.state.n;
    }),
    quiet: action(null, () => undefined),
    shout: action(z.string(), (ctx, text) => ctx.broadcast("said", text, { except: ctx.link.id })),
    all: action(z.string(), (ctx, text) => ctx.broadcast("said", text)),
    tell: action(z.object({ to: z.string(), text: z.string() }), (ctx, { to, text }) => ctx.send(to, "told", text)),
    fail: action(z.string(), (ctx, text) => {
      ctx.state.n = 99;
      ctx.state.log.push(text);
      ctx.timers.set("tick", 5);
      ctx.cache.set("k", 1);
      ctx.broadcast("never", 1);
      ctx.kick("b");
      throw new Error(text);
    }),
    badReply: action(null, (ctx) => {
      ctx.state.n = 98;
      return () => 1;
    }),
    badState: action(null, (ctx) => {
      (ctx.state as unknown as { f: unknown }).f = () => 1;
    }),
    kick: action(z.string(), (ctx, id) => {
      const had = ctx.kick(id, "rude");
      ctx.broadcast("kicked", id);
      return [had, ctx.links.has(id), ctx.links.size];
    }),
    end: action(null, (ctx) => {
      ctx.end();
      return "bye";
    }),
    who: action(null, (ctx) => [...ctx.links].map((link) => [link.id, link.user, link.attached])),
    facts: action(null, (ctx) => [ctx.session, ctx.effectKey(), ctx.effectKey(2), ctx.random(), ctx.now]),
    view: action(null, (ctx) => ctx.state.players),
  }),
  timers: { tick: (ctx) => ctx.state.log.push("tick") },
  onJoin: (ctx, link) => {
    ctx.state.players.set(link.id, 1);
    ctx.broadcast("joined", link.id);
    if (link.id === "refused") throw new Error("no room");
  },
  onLeave: (ctx, link, reason) => {
    ctx.state.players.delete(link.id);
    ctx.state.log.push(`${link.id} ${reason} ${ctx.links.has(link.id)}`);
    ctx.broadcast("left", link.id);
  },
});

function two(): Driver {
  const driver = new Driver(room);
  driver.attach("a");
  driver.attach("b");
  driver.cell.acknowledge("a", 1, 2);
  driver.cell.acknowledge("b", 1, 1);
  return driver;
}

describe("a call", () => {
  it("is one turn: state, reply and lastIn together", () => {
    const driver = two();
    const before = driver.cell.version;
    const result = driver.call("a", "add", 5);
    expect(result).toMatchObject({ outcome: "committed", version: before + 1, delta: null, ended: false, closed: [] });
    expect(result.touched.map((link) => link.id)).toEqual(["a"]);
    expect(driver.link("a")).toMatchObject({ lastIn: 1, lastInVersion: before + 1 });
    expect(driver.last("a")).toEqual({ seq: 3, kind: "reply", answers: 1, name: "", value: 5 });
    expect(driver.link("a").outbox.at(-1)?.version).toBe(before + 1);
  });

  it("is answered also when the handler returns nothing", () => {
    const driver = two();
    driver.call("a", "quiet");
    expect(driver.last("a")).toMatchObject({ kind: "reply", answers: 1, value: undefined });
  });

  it("sends events to all, to all but some, and to one", () => {
    const driver = two();
    driver.call("a", "shout", "x");
    expect([driver.outbox("a"), driver.outbox("b")].map((box) => box.map((m) => m.kind + m.name))).toEqual([["reply"], ["eventsaid"]]);
    const result = driver.call("a", "all", "y");
    expect(driver.link("a").outbox.at(-2)?.payload).toBe(driver.link("b").outbox.at(-1)?.payload);
    expect(result.touched.map((link) => link.id).sort()).toEqual(["a", "b"]);
    driver.call("a", "tell", { to: "b", text: "z" });
    expect(driver.last("a")?.value).toBe(true);
    expect(driver.last("b")).toMatchObject({ kind: "event", name: "told", value: "z", seq: 4 });
    driver.call("a", "tell", { to: "nobody", text: "z" });
    expect(driver.last("a")?.value).toBe(false);
  });

  it("sees the session's facts", () => {
    const driver = two();
    driver.call("a", "facts");
    const key = `room/1@${driver.cell.version}`;
    const session = { key: "room/1", kind: "room", version: driver.cell.version - 1 };
    expect(driver.last("a")?.value).toEqual([session, `${key}#0`, `${key}#2`, 0.5, 1_700_000_001_000]);
    driver.run({ kind: "detach", link: "b", generation: 1 });
    driver.call("a", "who");
    expect(driver.last("a")?.value).toEqual([
      ["a", { name: "a" }, true],
      ["b", { name: "b" }, false],
    ]);
    driver.call("a", "view");
    expect(driver.last("a")?.value).toEqual(new Map(Object.entries({ a: 1, b: 1 })));
  });

  it.each([
    ["fail", "boom", "E_HANDLER_FAILED", "boom"],
    ["badReply", undefined, "E_UNTRAVELLABLE", expect.any(String)],
    ["badState", undefined, "E_UNTRAVELLABLE", expect.stringContaining("f")],
    ["add", "five", "E_INPUT_INVALID", expect.stringContaining("expected number")],
    ["nothing", undefined, "E_ACTION_UNKNOWN", expect.stringContaining("nothing")],
  ])("that fails (%s) changes nothing but is handled and answered", (action, value, code, message) => {
    const driver = two();
    const image = driver.image() as unknown[];
    const before = { timers: driver.cell.nextTimerAtMs(), version: driver.cell.version };
    const result = driver.call("a", action, value);
    expect(result).toMatchObject({ outcome: "committed", version: before.version + 1, closed: [] });
    expect(driver.last("a")).toEqual({ seq: 3, kind: "failure", answers: 1, name: code, value: { message, details: expect.any(Object) } });
    expect(JSON.stringify(driver.last("a"))).not.toContain("session.test");
    expect(driver.link("a").lastIn).toBe(1);
    expect(driver.outbox("b")).toEqual([]);
    expect(driver.cell.nextTimerAtMs()).toBe(before.timers);
    const after = driver.image() as unknown[];
    expect([after[4], after[5], after[11]]).toEqual([image[4], image[5], image[11]]);
    expect(driver.cell.links.size).toBe(2);
    driver.call("b", "kick", "a");
    expect(driver.last("b")).toMatchObject({ kind: "reply", value: [true, false, 1] });
  });

  it("with damaged bytes is an invalid input", () => {
    const driver = two();
    driver.call("a", "add", 0, { payload: Uint8Array.of(0xc1, 0xff) } as never);
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_INPUT_INVALID" });
  });

  it("whose reply does not fit into a frame fails", () => {
    const big = defineSession({
      name: "big",
      version: 1,
      state: () => ({}),
      actions: (action) => ({ get: action(null, () => "x".repeat(2_000)) }),
    });
    const driver = new Driver(big, testEnv({ limits: resolveLimits({ maxClientFrameBytes: 1_024 }) }));
    driver.attach("a");
    driver.call("a", "get");
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_FRAME_TOO_LARGE" });
  });
});

describe("numbers", () => {
  it("let each input through once and in order", () => {
    const driver = two();
    expect(driver.call("a", "add", 1, { seq: 2 } as never).outcome).toBe("early");
    expect(driver.call("a", "add", 1).outcome).toBe("committed");
    const again = driver.call("a", "add", 1, { seq: 1 } as never);
    expect(again.outcome).toBe("duplicate");
    expect(again.touched.map((link) => link.id)).toEqual(["a"]);
    expect(driver.call("a", "add", 1).outcome).toBe("committed");
    expect(driver.last("a")?.value).toBe(2);
  });

  it("ignore unknown links and generations that never were", () => {
    const driver = two();
    const { version } = driver.cell;
    expect(driver.run(driver.message("a", "add", 1, { link: "x" } as never)).outcome).toBe("ignored");
    expect(driver.call("a", "add", 1, { generation: 2 } as never).outcome).toBe("ignored");
    expect(driver.cell.version).toBe(version);
  });

  it("take the next message of an earlier attach, since its number says it all", () => {
    const driver = two();
    driver.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 2 });
    expect(driver.link("a").generation).toBe(2);
    expect(driver.call("a", "add", 1, { generation: 1 } as never).outcome).toBe("committed");
  });

  it("trim the outbox by each confirmation, in a message or alone", () => {
    const driver = two();
    for (let i = 0; i < 3; i++) driver.call("a", "add", 1);
    expect(driver.outbox("a").map((m) => m.seq)).toEqual([3, 4, 5]);
    driver.call("a", "add", 1, { ack: 4 } as never);
    expect(driver.outbox("a").map((m) => m.seq)).toEqual([5, 6]);
    driver.cell.acknowledge("a", 1, 5);
    expect(driver.outbox("a").map((m) => m.seq)).toEqual([6]);
    driver.cell.acknowledge("a", 1, 3);
    driver.cell.acknowledge("a", 1, 7);
    driver.cell.acknowledge("a", 2, 6);
    driver.cell.acknowledge("x", 1, 6);
    expect(driver.outbox("a").map((m) => m.seq)).toEqual([6]);
    expect(driver.link("a")).toMatchObject({ ackedOut: 5, nextOut: 7 });
  });

  it("refuse a confirmation of what was never sent, without trimming", () => {
    const driver = two();
    driver.call("a", "add", 1);
    driver.call("a", "add", 1, { ack: 4 } as never);
    expect(driver.last("a")).toMatchObject({ kind: "failure", name: "E_SEQUENCE_INVALID", answers: 2 });
    expect(driver.outbox("a").length).toBe(2);
    driver.call("a", "add", 1);
    expect(driver.last("a")).toMatchObject({ kind: "reply", value: 2 });
  });
});

describe("an attach", () => {
  it("starts a link", () => {
    const driver = new Driver(room);
    const result = driver.attach("a");
    expect(result).toMatchObject({ outcome: "committed", version: 1 });
    expect(result.attach).toMatchObject({ ok: true, generation: 1, recovered: true, reason: null, lastIn: 0, nextOut: 1 });
    expect(driver.link("a")).toMatchObject({ ingress: "in#1", awaySinceMs: null, lastIn: 0 });
    expect(driver.outbox("a")).toMatchObject([{ seq: 1, name: "joined" }]);
  });

  it("is refused by an onJoin that throws, and nothing has happened", () => {
    const driver = two();
    const image = driver.image();
    const result = driver.attach("refused");
    expect(result).toMatchObject({ outcome: "ignored", attach: { ok: false, error: { code: "E_HANDLER_FAILED", message: "no room" } } });
    expect(driver.image()).toEqual(image);
  });

  it("is refused when the session is full or the user cannot travel", () => {
    const driver = new Driver(room, testEnv({ limits: resolveLimits({ maxLinksPerSession: 1 }) }));
    expect(driver.attach("a", { user: { f: () => 1 } }).attach).toMatchObject({ ok: false, error: { code: "E_UNTRAVELLABLE" } });
    driver.attach("a");
    expect(driver.attach("b").attach).toMatchObject({ ok: false, error: { code: "E_SESSION_FULL" } });
  });

  it("resumes with the present token and says where to go on", () => {
    const driver = two();
    for (let i = 0; i < 3; i++) driver.call("a", "add", 1);
    driver.run({ kind: "detach", link: "a", generation: 1 });
    const result = driver.attach("a", { token: "a-1", nextToken: "a-2", ingress: "other#1", epoch: 1, lastOut: 4, sent: 5 });
    expect(result.attach).toMatchObject({ ok: true, generation: 2, recovered: true, reason: null, lastIn: 3, nextOut: 5 });
    expect(result.touched.map((link) => link.id)).toEqual(["a"]);
    expect(driver.link("a")).toMatchObject({ ingress: "other#1", awaySinceMs: null });
    expect(driver.outbox("a").map((m) => m.seq)).toEqual([5]);
  });

  const steps: readonly [string, readonly { token: string; nextToken: string; use?: boolean; ok: boolean }[]][] = [
    [
      "the present token",
      [
        { token: "a-1", nextToken: "a-2", ok: true },
        { token: "a-2", nextToken: "a-3", ok: true },
      ],
    ],
    ["a wrong token beside the present one", [{ token: "a-x", nextToken: "a-1", ok: false }]],
    [
      "the former token after a confirmed link attached again",
      [
        { token: "a-0", nextToken: "a-1", use: true, ok: true },
        { token: "a-1", nextToken: "a-2", ok: true },
        { token: "a-1", nextToken: "a-9", ok: true },
      ],
    ],
    ["a wrong token", [{ token: "a-x", nextToken: "a-2", ok: false }]],
    ["a token of another length", [{ token: "a-11", nextToken: "a-2", ok: false }]],
    [
      "the former token while the welcome may be lost",
      [
        { token: "a-0", nextToken: "a-9", ok: true },
        { token: "a-9", nextToken: "a-10", ok: true },
      ],
    ],
    [
      "the former token once the present one was used",
      [
        { token: "a-1", nextToken: "a-2", use: true, ok: true },
        { token: "a-1", nextToken: "a-9", ok: false },
      ],
    ],
    [
      "an exact retransmission",
      [
        { token: "a-1", nextToken: "a-2", use: true, ok: true },
        { token: "a-1", nextToken: "a-2", ok: true },
        { token: "a-2", nextToken: "a-3", ok: true },
      ],
    ],
    [
      "a token two attaches old",
      [
        { token: "a-1", nextToken: "a-2", ok: true },
        { token: "a-2", nextToken: "a-3", ok: true },
        { token: "a-1", nextToken: "a-9", ok: false },
      ],
    ],
  ];
  it.each(steps)("with %s", (_, attempts) => {
    const driver = new Driver(room);
    driver.attach("a");
    let refusals = 0;
    for (const { token, nextToken, use, ok } of attempts) {
      const result = driver.attach("a", { token, nextToken });
      expect(result.attach?.ok).toBe(ok);
      expect(result.outcome).toBe(ok ? "committed" : "ignored");
      if (!ok) expect(result.attach).toMatchObject({ error: { code: "E_LINK_TOKEN" } });
      if (!ok) refusals++;
      if (use === true) driver.cell.acknowledge("a", driver.link("a").generation, 0);
    }
    expect(driver.link("a").refusedAttaches).toBe(refusals);
  });

  it("is not confirmed by frames of an earlier one", () => {
    const driver = new Driver(room);
    driver.attach("a");
    driver.attach("a", { token: "a-1", nextToken: "a-2" });
    driver.cell.acknowledge("a", 1, 1);
    expect(driver.attach("a", { token: "a-1", nextToken: "a-3" }).attach?.ok).toBe(true);
  });

  it("by a client that never heard that its link began anew is told why it did", () => {
    const driver = two();
    driver.run({ kind: "detach", link: "a", generation: 1 });
    driver.run({ kind: "expire", link: "a" });
    // Its hello comes a second time, and nobody is there to take the answer.
    const former = { token: "a-0", nextToken: "a-1", epoch: 1, lastOut: 2, sent: 1 };
    expect(driver.attach("a", former).attach).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED" });
    const known = { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 2, sent: 1 };
    expect(driver.attach("a", known).attach).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED", lastIn: 0, nextOut: 1 });
  });

  it("that was last welcomed before its link began anew starts anew, also when its numbers fit", () => {
    const driver = two();
    driver.run({ kind: "detach", link: "a", generation: 1 });
    driver.run({ kind: "expire", link: "a" });
    driver.attach("a", { token: "a-0", nextToken: "a-1", epoch: 1, generation: 1 });
    const fitting = { token: "a-1", nextToken: "a-2", epoch: 1, generation: 1 };
    expect(driver.attach("a", fitting).attach).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED" });
  });

  it("of a link that has ended and that an older hello, said again, began anew is told of that end", () => {
    const driver = two();
    driver.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, generation: 1 });
    driver.run({ kind: "detach", link: "a", generation: 2 });
    driver.run({ kind: "expire", link: "a" });
    const first = { token: "a-0", nextToken: "a-1", epoch: 0 };
    expect(driver.attach("a", first).attach).toMatchObject({ recovered: true, reason: null });
    const second = { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 1, generation: 1 };
    expect(driver.attach("a", second).attach).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED", lastIn: 0, nextOut: 1 });
    expect(driver.outbox("b").map((m) => [m.name, m.value])).toEqual([
      ["left", "a"],
      ["joined", "a"],
      ["left", "a"],
      ["joined", "a"],
    ]);
  });

  it("of a link that was lost with its session begins beyond it: what is late of the lost one does not count", () => {
    const lost = { token: "a-1", nextToken: "a-2", epoch: 3, offsetEpoch: 3, lastOut: 2, sent: 4, generation: 4 };
    const env = testEnv();
    const sessions = createSessionFactory(room, env);
    const driver = new Driver(room, env, sessions.create("room/1", 5));
    const replica = sessions.restore("room/1", driver.cell.snapshot());
    const result = driver.run(attachInput("a", lost), true);
    expect(result.attach).toMatchObject({ recovered: false, reason: "E_SESSION_LOST", generation: 2 ** 20 + 1 });
    replica.apply(result.delta as Uint8Array);
    expect(replica.links.get("a")).toMatchObject({ generation: 2 ** 20 + 1 });
    expect(driver.run(driver.message("a", "add", 1, { generation: 4 } as never)).outcome).toBe("ignored");
    expect(driver.call("a", "add", 1).outcome).toBe("committed");
  });

  it("of a session that began anew tells a client whose link ended since that it did: nothing that it saw is lost", () => {
    const env = testEnv();
    const driver = new Driver(room, env, createSessionFactory(room, env).create("room/1", 5));
    driver.attach("a");
    driver.run({ kind: "detach", link: "a", generation: 1 });
    driver.run({ kind: "expire", link: "a" });
    const back = { token: "a-1", nextToken: "a-2", epoch: 6, lastOut: 1, generation: 1 };
    expect(driver.attach("a", { ...back, offsetEpoch: 5 }).attach).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED" });
    expect(driver.attach("b", { ...back, offsetEpoch: 4 }).attach).toMatchObject({ recovered: false, reason: "E_SESSION_LOST" });
  });

  it("names a generation as high as it likes, and later links still have theirs", () => {
    const driver = two();
    const { attach } = driver.attach("c", { epoch: 1, generation: Number.MAX_SAFE_INTEGER });
    expect(attach).toMatchObject({ ok: true, generation: 2 ** 52 + 2 ** 20 + 1 });
    driver.run({ kind: "leave", link: "c", generation: 2 ** 52 + 2 ** 20 + 1 });
    expect(driver.attach("d", { epoch: 1, generation: Number.MAX_SAFE_INTEGER }).attach).toMatchObject({
      ok: true,
      generation: 2 ** 52 + 2 ** 21 + 1,
    });
  });

  it("that claims answers which were never given starts anew", () => {
    const driver = two();
    const result = driver.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, sent: 3, acked: 2 });
    expect(result.attach).toMatchObject({ recovered: false, reason: "E_SEQUENCE_INVALID", lastIn: 0, nextOut: 1 });
  });

  it("that claims messages which were never sent starts anew, with a name for it", () => {
    const driver = two();
    const result = driver.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 3 });
    expect(result.attach).toMatchObject({
      ok: true,
      generation: 2 ** 20 + 1,
      recovered: false,
      reason: "E_SEQUENCE_INVALID",
      lastIn: 0,
      nextOut: 1,
    });
    expect(result.closed).toEqual([]);
    expect(driver.outbox("b").map((m) => [m.name, m.value])).toEqual(
      [
        ["joined", "b"],
        ["left", "a"],
        ["joined", "a"],
      ].slice(1),
    );
    expect(driver.run(driver.message("a", "add", 1, { generation: 1 } as never)).outcome).toBe("ignored");
    driver.call("a", "add", 1);
    expect(driver.last("a")).toMatchObject({ kind: "reply", answers: 1, seq: 2 });
  });

  it("that has forgotten what it sent starts anew; what overtook its hello is no such thing", () => {
    const driver = two();
    driver.call("a", "add", 1);
    driver.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 2, sent: 1 });
    driver.call("a", "add", 1);
    expect(driver.attach("a", { token: "a-2", nextToken: "a-3", epoch: 1, lastOut: 2, sent: 1 }).attach).toMatchObject({
      recovered: true,
      lastIn: 2,
    });
    expect(driver.attach("a", { token: "a-3", nextToken: "a-4", epoch: 1, lastOut: 2, sent: 1 }).attach).toMatchObject({
      recovered: false,
      reason: "E_SEQUENCE_INVALID",
    });
  });

  it("goes on behind a late copy of the hello before it, whatever was handled in between", () => {
    const driver = two();
    driver.call("a", "add", 1);
    const former = { token: "a-1", nextToken: "a-2", epoch: 1, lastOut: 2, sent: 1 };
    driver.attach("a", former);
    driver.call("a", "add", 1);
    driver.attach("a", former); // once more, over another node
    expect(driver.attach("a", { token: "a-2", nextToken: "a-3", epoch: 1, lastOut: 2, sent: 1 }).attach).toMatchObject({ recovered: true });
  });

  it.each([[{ epoch: 3 }], [{ lastOut: 2 }], [{ sent: 2 }]])("of a link that is gone (%o) starts anew, with a name for it", (claim) => {
    const driver = two();
    driver.call("a", "all", "x");
    driver.run({ kind: "detach", link: "a", generation: 1 });
    driver.run({ kind: "expire", link: "a" });
    const result = driver.attach("a", { token: "a-1", nextToken: "a-2", ...claim });
    expect(result.attach).toMatchObject({
      ok: true,
      generation: 2 ** 20 + 1,
      recovered: false,
      reason: "E_LINK_EXPIRED",
      lastIn: 0,
      nextOut: 1,
    });
  });
});

describe("a link", () => {
  it("goes away and is counted from then", () => {
    const driver = two();
    const { version } = driver.cell;
    driver.env.clock.ms += 7;
    expect(driver.run({ kind: "detach", link: "a", generation: 2 }).outcome).toBe("ignored");
    expect(driver.run({ kind: "detach", link: "a", generation: 1 }).outcome).toBe("committed");
    expect(driver.run({ kind: "detach", link: "a", generation: 1 }).outcome).toBe("ignored");
    expect(driver.cell.version).toBe(version + 1);
    expect(driver.link("a")).toMatchObject({ ingress: null, awaySinceMs: 1_007 });
  });

  it("leaves for good, and only by its present generation", () => {
    const driver = two();
    expect(driver.run({ kind: "leave", link: "a", generation: 2 }).outcome).toBe("ignored");
    expect(driver.run({ kind: "leave", link: "a", generation: 1 })).toMatchObject({ outcome: "committed", closed: [] });
    expect(driver.cell.links.has("a")).toBe(false);
    expect(driver.last("b")).toMatchObject({ name: "left", value: "a" });
    expect((driver.image() as unknown[])[4]).toMatchObject({ log: ["a left false"] });
  });

  it("expires only while it is away", () => {
    const driver = two();
    expect(driver.run({ kind: "expire", link: "a" }).outcome).toBe("ignored");
    driver.run({ kind: "detach", link: "a", generation: 1 });
    expect(driver.run({ kind: "expire", link: "a" }).outcome).toBe("committed");
    expect((driver.image() as unknown[])[4]).toMatchObject({ log: ["a E_LINK_EXPIRED false"] });
  });

  it("is kicked with a reason, and its onLeave runs in a turn of its own", () => {
    const driver = two();
    const result = driver.call("a", "kick", "b");
    expect(driver.last("a")).toMatchObject({ value: [true, false, 1] });
    expect(result.closed).toMatchObject([
      { link: "b", generation: 1, ingress: "in#1", code: "E_LINK_KICKED", message: "rude", outbox: [] },
    ]);
    expect(result.touched.map((link) => link.id)).toEqual(["a"]);
    expect(driver.cell.nextTimerAtMs()).toBe(driver.env.clock.now());
    expect(driver.alarms().map((r) => r.outcome)).toEqual(["committed"]);
    expect((driver.image() as unknown[])[4]).toMatchObject({ log: ["b E_LINK_KICKED false"] });
    expect(driver.cell.dueTimer()).toBe(null);
  });

  it("that comes back before its onLeave has run leaves first", () => {
    const driver = two();
    driver.call("a", "kick", "b");
    const result = driver.attach("b", { token: "b-1", nextToken: "b-2", epoch: 1 });
    expect(result.attach).toMatchObject({ ok: true, reason: "E_LINK_EXPIRED", generation: 2 ** 20 + 1 });
    expect((driver.image() as unknown[])[4]).toMatchObject({
      log: ["b E_LINK_KICKED false"],
      players: new Map([
        ["a", 1],
        ["b", 1],
      ]),
    });
    expect(driver.cell.dueTimer()).toBe(null);
  });

  it.each([
    ["messages", { maxOutboxMessages: 3 }, ["x", "x"], "x"],
    ["bytes", { maxOutboxBytes: 1_024 }, ["x".repeat(400), "x".repeat(400)], "x".repeat(400)],
  ])("ends by a name when its outbox passes its bound of %s, and others go on", (_, limits, fill, last) => {
    const driver = new Driver(room, testEnv({ limits: resolveLimits(limits) }));
    driver.attach("a");
    driver.attach("b");
    driver.cell.acknowledge("a", 1, 2);
    driver.run({ kind: "detach", link: "b", generation: 1 });
    for (const text of fill) {
      expect(driver.call("a", "shout", text).closed).toEqual([]);
      driver.cell.acknowledge("a", 1, driver.link("a").nextOut - 1);
    }
    const result = driver.call("a", "shout", last);
    expect(result.closed).toMatchObject([{ link: "b", code: "E_LINK_OVERFLOW", ingress: null }]);
    expect(result.touched.map((link) => link.id)).toEqual(["a"]);
    expect(driver.cell.links.has("b")).toBe(false);
    expect(driver.last("a")).toMatchObject({ kind: "reply" });
    driver.alarms();
    expect((driver.image() as unknown[])[4]).toMatchObject({ log: ["b E_LINK_OVERFLOW false"] });
  });
});

describe("a link that is kicked", () => {
  it("is closed once, even when the same turn would overflow it", () => {
    const driver = new Driver(room, testEnv({ limits: resolveLimits({ maxOutboxMessages: 3 }) }));
    driver.attach("a");
    driver.attach("b");
    driver.cell.acknowledge("a", 1, 2);
    for (let i = 0; i < 2; i++) {
      driver.call("a", "shout", "x");
      driver.cell.acknowledge("a", 1, driver.link("a").nextOut - 1);
    }
    expect(driver.call("a", "kick", "b").closed.map((c) => c.code)).toEqual(["E_LINK_KICKED"]);
  });
});

describe("the end", () => {
  it("closes every link, still answers, and lets nothing run", () => {
    const driver = two();
    const result = driver.call("a", "end");
    expect(result).toMatchObject({ outcome: "committed", ended: true });
    expect(result.closed.map((c) => [c.link, c.code, c.outbox.map((m) => m.kind)])).toEqual([
      ["a", "E_SESSION_ENDED", ["reply"]],
      ["b", "E_SESSION_ENDED", []],
    ]);
    expect(driver.cell.ended).toBe(true);
    expect(driver.cell.links.size).toBe(0);
    expect(driver.run({ kind: "timer", name: "tick" }).outcome).toBe("ignored");
    expect(driver.run(attachInput("c"))).toMatchObject({ outcome: "ignored", attach: { ok: false, error: { code: "E_SESSION_ENDED" } } });
    expect(driver.cell.nextTimerAtMs()).toBe(null);
  });
});
