import {
  ByteWriter,
  CLIENT_PROTOCOL,
  type ClientFrameOf,
  type ClientOp,
  decodeClientFrame,
  encodeClientFrame,
  resolveLimits,
} from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { expect, it } from "vitest";
import type { Expected } from "./expected.js";
import { Ingress } from "./ingress.js";
import { Routes } from "./routes.js";

const SESSION = "room/x";

/** An ingress on node a whose messages to owners are kept. */
function stage() {
  const routes = new Routes(16);
  const sent: ClientOp[] = [];
  /** What the directory says when it is asked. */
  const recorded = { owner: "", epoch: 0 };
  /** Whether owners are reached, and what is known of the present one. */
  const owners: { reached: boolean; expected: Expected } = { reached: true, expected: "answer" };
  const clock = new VirtualClock();
  const ingress = new Ingress({
    self: "a#1",
    clock,
    limits: resolveLimits(),
    routes,
    dispatch: (op) => sent.push(op) > 0 && owners.reached,
    resolve: async (session) => {
      const { owner, epoch } = recorded;
      if (owner !== "") routes.learn(session, owner, epoch);
    },
    expected: () => owners.expected,
    endpointOf: (ref) => `ws://${ref}`,
  });
  /** A client that last heard of `epoch` comes, and is welcomed by the owner at `welcomedAt`. Gives the moves it is told of. */
  const join = (link: string, epoch: number, owner: string, welcomedAt: number): ClientFrameOf<"moved">[] => {
    const moves: ClientFrameOf<"moved">[] = [];
    const send = (bytes: Uint8Array) => {
      const frame = decodeClientFrame(bytes);
      if (frame.t === "moved") moves.push(frame);
    };
    const hello = {
      t: "hello",
      protocol: CLIENT_PROTOCOL,
      session: SESSION,
      link,
      token: "",
      nextToken: "",
      lastOut: 0,
      sent: 0,
      acked: 0,
      offsetEpoch: 0,
      generation: 0,
    } as const;
    ingress.open({ send, fail: () => undefined, release: () => undefined }, { ...hello, epoch, auth: null }, null);
    const op = sent.at(-1);
    const welcome = encodeClientFrame(new ByteWriter(), { t: "ping", nonce: 1 });
    const address = { id: link, generation: 1, ingress: "a#1" };
    ingress.attached(owner, SESSION, welcomedAt, address, op?.t === "attach" ? op.socket : 0, true, welcome);
    return moves;
  };
  return { routes, ingress, sent, recorded, owners, clock, join };
}

it("tells clients of a move once, also when the directory told of it first", () => {
  const { routes, ingress, join } = stage();
  const moves = join("link", 0, "a#1", 1);
  routes.learn(SESSION, "b#1", 2);
  ingress.ownerChanged(SESSION, 2, "b#1", "a#1", 3.5, 0);
  ingress.ownerChanged(SESSION, 2, "b#1", "a#1", 4, 0);
  expect(moves).toEqual([{ t: "moved", epoch: 2, from: "a", to: "b", endpoint: "ws://b#1", blackoutMs: 3.5, switchAfterMs: 0 }]);
  ingress.ownerChanged(SESSION, 1, "a#1", "b#1", 1, 0);
  expect(moves).toHaveLength(1);
});

it("tells a client whose welcome came from the new owner already, unless it is new there", () => {
  const { ingress, join } = stage();
  const returning = join("returning", 1, "b#1", 2);
  const fresh = join("fresh", 0, "b#1", 2);
  ingress.ownerChanged(SESSION, 2, "b#1", "a#1", 3, 0);
  expect(returning.map(({ epoch }) => epoch)).toEqual([2]);
  expect(fresh).toEqual([]);
});

it("keeps a client whose attach came a second time after it had gone on with its next token", () => {
  const { ingress } = stage();
  const told: string[] = [];
  const socket = { send: () => told.push("welcome"), fail: (code: string) => told.push(code), release: () => undefined };
  const hello = { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "0", nextToken: "1" } as const;
  ingress.open(socket, { ...hello, epoch: 0, lastOut: 0, sent: 0, acked: 0, offsetEpoch: 0, generation: 0, auth: null }, null);
  const answer = (generation: number, ok: boolean) => {
    const problem = { t: "problem", code: "E_LINK_TOKEN", message: "", fatal: true, retryAfterMs: 0 } as const;
    const frame = encodeClientFrame(new ByteWriter(), ok ? { t: "ping", nonce: 1 } : problem);
    ingress.attached("b#1", SESSION, 1, { id: "link", generation, ingress: "a#1" }, 1, ok, frame);
  };
  answer(1, true);
  answer(0, false);
  expect(told).toEqual(["welcome"]);
  expect(ingress.sockets.count).toBe(1);
});

it("serves a client whose attach was carried out twice also when the second answer is lost", () => {
  const { ingress } = stage();
  const frames: string[] = [];
  const hello = {
    t: "hello",
    protocol: CLIENT_PROTOCOL,
    session: SESSION,
    link: "link",
    token: "",
    nextToken: "",
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 0,
    generation: 0,
    epoch: 0,
    auth: null,
  } as const;
  const open = (name: string) =>
    ingress.open(
      { send: (bytes) => frames.push(`${name} ${decodeClientFrame(bytes).t}`), fail: () => undefined, release: () => undefined },
      hello,
      null,
    );
  const frame = (t: "ping" | "pong") => encodeClientFrame(new ByteWriter(), { t, nonce: 1 });
  const deliver = (generation: number) =>
    ingress.deliver("b#1", SESSION, 1, { id: "link", generation, ingress: "a#1" }, frame("pong"), false);
  open("first");
  ingress.attached("b#1", SESSION, 1, { id: "link", generation: 1, ingress: "a#1" }, 1, true, frame("ping"));
  deliver(2);
  deliver(1);
  expect(frames).toEqual(["first ping", "first pong"]);
  // While another socket of the link waits for its welcome, a newer generation may be that socket's.
  open("second");
  deliver(3);
  expect(frames).toHaveLength(2);
});

it("puts a link's present socket in the place of one that is gone when a late copy of its attach is answered", () => {
  const { ingress, sent, join } = stage();
  join("link", 0, "b#1", 1);
  const answer = (generation: number) => {
    sent.length = 0;
    const welcome = encodeClientFrame(new ByteWriter(), { t: "ping", nonce: 1 });
    ingress.attached("b#1", SESSION, 1, { id: "link", generation, ingress: "a#1" }, 99, true, welcome);
    return [ingress.sockets.live(SESSION, "link")?.generation, sent.map(({ t }) => t)];
  };
  expect(answer(3)).toEqual([3, []]);
  expect(answer(2)).toEqual([3, []]);
  // Of another numbering: the session has nobody here.
  expect(answer(2 ** 20 + 1)).toEqual([3, ["detach"]]);
});

it("tells an owner that speaks to a socket which is gone, unless one waits for its welcome", () => {
  const { ingress, sent } = stage();
  const speak = (close: boolean) => {
    sent.length = 0;
    const frame = encodeClientFrame(new ByteWriter(), { t: "pong", nonce: 1 });
    ingress.deliver("b#1", SESSION, 1, { id: "link", generation: 4, ingress: "a#1" }, frame, close);
    return sent.map((op) => (op.t === "detach" ? [op.link, op.generation, op.leave] : op.t));
  };
  expect(speak(false)).toEqual([["link", 4, false]]);
  expect(speak(true)).toEqual([]);
  const hello = { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "", nextToken: "", auth: null } as const;
  const numbers = { epoch: 0, lastOut: 0, sent: 0, acked: 0, offsetEpoch: 0, generation: 0 } as const;
  ingress.open({ send: () => undefined, fail: () => undefined, release: () => undefined }, { ...hello, ...numbers }, null);
  expect(speak(false)).toEqual([]);
});

it("lets go of a socket whose link has left, also when the answer to a second copy of its attach is lost", () => {
  const { ingress, join } = stage();
  join("link", 0, "b#1", 1);
  const live = () => ingress.sockets.live(SESSION, "link")?.generation;
  ingress.unlink(SESSION, "link", 0); // it is late: the link has come back since
  expect(live()).toBe(1);
  ingress.unlink(SESSION, "link", 2);
  expect(live()).toBeUndefined();
});

it("takes no message of another numbering for one of the link that was welcomed: its client says hello again", () => {
  const { ingress, sent } = stage();
  const told: string[] = [];
  const socket = {
    send: (bytes: Uint8Array) => told.push(decodeClientFrame(bytes).t),
    fail: (code: string) => told.push(code),
    release: () => undefined,
  };
  const numbers = { epoch: 0, lastOut: 0, sent: 0, acked: 0, offsetEpoch: 0, generation: 0 };
  ingress.open(
    socket,
    { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "", nextToken: "", ...numbers, auth: null },
    null,
  );
  const frame = encodeClientFrame(new ByteWriter(), { t: "ping", nonce: 1 });
  const at = (generation: number) => ({ id: "link", generation, ingress: "a#1" });
  ingress.attached("b#1", SESSION, 1, at(2), 1, true, frame);
  ingress.deliver("b#1", SESSION, 1, at(2 ** 20 + 3), frame, false);
  expect(told).toEqual(["ping", "E_LINK_EXPIRED"]);
  expect(sent.at(-1)).toMatchObject({ t: "detach", generation: 2 ** 20 + 3, leave: false });
  expect(ingress.sockets.count).toBe(0);
});

it("gives a client one welcome, also when its attach was carried out twice", () => {
  const { ingress } = stage();
  const frames: string[] = [];
  const hello = {
    t: "hello",
    protocol: CLIENT_PROTOCOL,
    session: SESSION,
    token: "",
    nextToken: "",
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 0,
    generation: 0,
    epoch: 0,
    auth: null,
  } as const;
  const socket = { send: (bytes: Uint8Array) => frames.push(decodeClientFrame(bytes).t), fail: () => undefined, release: () => undefined };
  ingress.open(socket, { ...hello, link: "link" }, null);
  const answer = (generation: number, t: "ping" | "pong") => {
    const frame = encodeClientFrame(new ByteWriter(), { t, nonce: 1 });
    ingress.attached("b#1", SESSION, 1, { id: "link", generation, ingress: "a#1" }, 1, true, frame);
  };
  answer(1, "ping");
  answer(2, "ping");
  expect(frames).toEqual(["ping"]);
  // What the session sends to its newest attach arrives.
  ingress.deliver(
    "b#1",
    SESSION,
    1,
    { id: "link", generation: 2, ingress: "a#1" },
    encodeClientFrame(new ByteWriter(), { t: "pong", nonce: 1 }),
    false,
  );
  expect(frames).toEqual(["ping", "pong"]);
});

it("lets only the present owner turn a client away", async () => {
  const { ingress, routes, sent, recorded } = stage();
  const failed: string[] = [];
  const socket = { send: () => undefined, fail: (code: string) => failed.push(code), release: () => undefined };
  const hello = {
    t: "hello",
    protocol: CLIENT_PROTOCOL,
    session: SESSION,
    link: "link",
    token: "t",
    nextToken: "u",
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 5,
    generation: 0,
    epoch: 5,
    auth: null,
  } as const;
  ingress.open(socket, hello, null);
  const refusal = encodeClientFrame(new ByteWriter(), {
    t: "problem",
    code: "E_LINK_TOKEN",
    message: "no",
    fatal: true,
    retryAfterMs: 0,
  });
  const refuse = async (from: string, epoch: number) => {
    ingress.attached(from, SESSION, epoch, { id: "link", generation: 0, ingress: "a#1" }, 1, false, refusal);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  // The client was served at epoch 5 elsewhere; whoever owned the session at 4 knows less of it than the client does.
  Object.assign(recorded, { owner: "c#1", epoch: 5 });
  await refuse("b#1", 4);
  expect({ failed, attaches: sent.length, owner: routes.get(SESSION)?.owner }).toEqual({ failed: [], attaches: 2, owner: "c#1" });
  await refuse("c#1", 5);
  expect(failed).toEqual(["E_LINK_TOKEN"]);
});

it("believes an owner that the directory confirms, whatever epoch the client has heard of", async () => {
  const { ingress, recorded } = stage();
  const failed: string[] = [];
  const socket = { send: () => undefined, fail: (code: string) => failed.push(code), release: () => undefined };
  const numbers = { lastOut: 0, sent: 0, acked: 0, offsetEpoch: 50, generation: 0, epoch: 50 };
  const hello = { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "t", nextToken: "u" } as const;
  ingress.open(socket, { ...hello, ...numbers, auth: null }, null);
  Object.assign(recorded, { owner: "b#1", epoch: 2 });
  const frame = { t: "problem", code: "E_LINK_TOKEN", message: "no", fatal: true, retryAfterMs: 0 } as const;
  ingress.attached("b#1", SESSION, 2, { id: "link", generation: 0, ingress: "a#1" }, 1, false, encodeClientFrame(new ByteWriter(), frame));
  for (let i = 0; i < 5; i++) await Promise.resolve();
  expect(failed).toEqual(["E_LINK_TOKEN"]);
});

it("has a client say hello once more whose link ended between the two times that its attach was carried out", () => {
  const { ingress } = stage();
  const failed: string[] = [];
  const socket = { send: () => undefined, fail: (code: string) => failed.push(code), release: () => undefined };
  const numbers = { lastOut: 0, sent: 0, acked: 0, offsetEpoch: 0, generation: 0, epoch: 0 };
  const hello = { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "t", nextToken: "u" } as const;
  ingress.open(socket, { ...hello, ...numbers, auth: null }, null);
  const welcome = (generation: number, recovered: boolean) => {
    const lost = { lostOutputs: 0, lostInputs: 0 };
    const frame = { t: "welcome", protocol: CLIENT_PROTOCOL, epoch: 1, lastIn: 0, nextOut: 1, generation, recovered, ...lost } as const;
    const rest = { reason: recovered ? null : "E_LINK_OVERFLOW", owner: "b", endpoint: "", heartbeatMs: 1_000 } as const;
    const address = { id: "link", generation, ingress: "a#1" };
    ingress.attached("b#1", SESSION, 1, address, 1, true, encodeClientFrame(new ByteWriter(), { ...frame, ...rest }));
  };
  welcome(1, true);
  welcome(2, true);
  expect(failed).toEqual([]);
  welcome(2 ** 20 + 1, false);
  expect(failed).toEqual(["E_LINK_EXPIRED"]);
});

/** A client that says hello while nobody answers for the session: what it is told, and how often it was tried. */
function heldStage(expected: Expected) {
  const world = stage();
  Object.assign(world.recorded, { owner: "b#1", epoch: 1 });
  Object.assign(world.owners, { reached: false, expected });
  const told: string[] = [];
  const socket = {
    send: (bytes: Uint8Array) => {
      const frame = decodeClientFrame(bytes);
      told.push(frame.t === "problem" && !frame.fatal ? "held" : frame.t);
    },
    fail: (code: string) => told.push(code),
    release: () => undefined,
  };
  const numbers = { lastOut: 0, sent: 0, acked: 0, offsetEpoch: 0, generation: 0, epoch: 0 };
  const hello = { t: "hello", protocol: CLIENT_PROTOCOL, session: SESSION, link: "link", token: "t", nextToken: "u" } as const;
  world.ingress.open(socket, { ...hello, ...numbers, auth: null }, null);
  return { ...world, told };
}

it("sends a client elsewhere that nobody answers, when the owner may only be out of reach from here", async () => {
  const { clock, told } = heldStage("answer");
  await clock.run(5_000);
  expect(told).toEqual(["E_SESSION_BUSY"]);
});

it.each(["takeOver", "leaseEnd"] as const)(
  "keeps a client whose owner is lost and tells it so, as long as its lease can last (%s)",
  async (expected) => {
    const { clock, told, sent, ingress } = heldStage(expected);
    await clock.run(2_000);
    const tries = sent.length;
    told.length = 0;
    await clock.run(8_000);
    expect(new Set(told)).toEqual(new Set(["held"]));
    // Nothing can come before the lease has ended, so the directory is asked seldom.
    expect(sent.length - tries).toBeLessThan(expected === "leaseEnd" ? 12 : 40);
    expect(ingress.sockets.count).toBe(1);
    await clock.run(4_500);
    expect(told.at(-1)).toBe("E_SESSION_BUSY");
    expect(ingress.sockets.count).toBe(0);
  },
);

it("sends the attach of a kept client at once when the owner's lease has ended, and when the record names another owner", async () => {
  const { clock, sent, recorded, owners, ingress, routes } = heldStage("leaseEnd");
  await clock.run(4_321);
  const tries = sent.length;
  Object.assign(recorded, { owner: "c#1", epoch: 2 });
  ingress.ownerEnded("b#1");
  await clock.run(1);
  expect(sent.length).toBeGreaterThan(tries);
  expect(routes.get(SESSION)?.owner).toBe("c#1");
  owners.reached = true;
  const before = sent.length;
  const record = {
    revision: 9,
    epoch: 3,
    owner: "d#1",
    inSync: ["a#1"],
    heir: null,
    ended: false,
    stored: false,
    writer: "d#1/1",
  } as const;
  ingress.recordChanged(SESSION, { ...record, strategy: "replica" });
  expect(sent.length).toBe(before + 1);
  ingress.recordChanged(SESSION, { ...record, strategy: "replica" });
  expect(sent.length).toBe(before + 1);
});
