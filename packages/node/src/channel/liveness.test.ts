import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Harness, ManualClock, text } from "../../test-support/channel-harness.js";
import { decodeNumber, encodeNumber, KIND } from "./channel-frames.js";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

const limits = { peerHeartbeatMs: 1_000, peerTimeoutMs: 4_000, peerConnectTimeoutMs: 2_000, suspectAfterMs: 4_000 };

describe("liveness", () => {
  it("measures and smooths the round trip", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits });
    const raw = await harness.raw(b.peers.address);
    await raw.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    const nonce = await raw.next(KIND.ping);
    expect(b.peers.rttMs("x#1")).toBeUndefined();
    clock.stall(16);
    raw.send(KIND.pong, encodeNumber(decodeNumber(nonce) + 1));
    raw.send(KIND.pong, nonce);
    raw.send(KIND.message, text("mark"));
    await b.signal.until(() => b.log.length === 2);
    expect(b.peers.rttMs("x#1")).toBe(16);
    clock.advance(1_000);
    await raw.signal.until(() => raw.of(KIND.ping).length === 2);
    clock.stall(8);
    raw.send(KIND.pong, raw.of(KIND.ping)[1] as Uint8Array);
    raw.send(KIND.message, text("mark"));
    await b.signal.until(() => b.log.length === 3);
    expect(b.peers.rttMs("x#1")).toBe(17);
    expect(b.peers.rttMs("y#1")).toBeUndefined();
  });

  it("shows on both lanes that it lives, once per heartbeat", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits });
    const control = await harness.raw(b.peers.address);
    await control.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    const bulk = await harness.raw(b.peers.address);
    await bulk.greet({ lane: "bulk", stamp: 2, pairStamp: 1, from: "x#1", to: "b#1" });
    for (let beats = 1; beats <= 3; beats++) {
      clock.advance(1_000);
      await bulk.signal.until(() => bulk.of(KIND.ping).length === beats);
      await control.signal.until(() => control.of(KIND.ping).length === beats + 1);
    }
  });

  it("answers pings with their nonce on the control lane", async () => {
    const b = await harness.node("b#1");
    const raw = await harness.raw(b.peers.address);
    await raw.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    raw.send(KIND.ping, encodeNumber(4_711));
    expect(decodeNumber(await raw.next(KIND.pong))).toBe(4_711);
  });

  it.each(["control", "bulk"] as const)("counts a socket that is open but silent on the %s lane as lost, and dials again", async (mute) => {
    const clock = new ManualClock();
    const a = await harness.node("a#1", { clock, limits });
    const server = await harness.rawServer();
    a.peers.reach("x#1", server.address);
    const control = await server.next();
    await control.next(KIND.hello);
    control.send(KIND.welcome, encodeNumber(1));
    const bulk = await server.next();
    await bulk.next(KIND.hello);
    bulk.send(KIND.welcome, encodeNumber(2));
    let heard = 0;
    a.onMessage = () => {
      heard++;
    };
    bulk.send(KIND.message, text("stands"));
    await a.signal.until(() => heard === 1);
    const speaking = mute === "control" ? bulk : control;
    // The first beat still counts what was heard before it; after it four silent seconds are allowed, and no more.
    for (let beats = 1; beats <= 6; beats++) {
      expect(a.log).toEqual(["up x#1"]);
      speaking.send(KIND.message, text("here"));
      await a.signal.until(() => heard === beats + 1);
      clock.advance(1_000);
    }
    expect(a.log).toEqual(["up x#1", "down x#1"]);
    expect(a.problems[0]).toContain("x#1 E_PEER_UNREACHABLE nothing heard");
    await Promise.all([control.whenClosed(), bulk.whenClosed()]);
    clock.advance(100);
    expect((await (await server.next()).next(KIND.hello)).length).toBeGreaterThan(0);
  });

  it("does not take a time in which it could not listen itself for the silence of others", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits });
    const raw = await harness.raw(b.peers.address);
    await raw.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    clock.stall(60_000);
    clock.advance(0);
    expect(b.log).toEqual(["up x#1"]);
  });

  it("tells whose heartbeats are not answered although it is connected, and when they are again", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits: { ...limits, peerTimeoutMs: 60_000, suspectAfterMs: 2_000 } });
    const control = await harness.raw(b.peers.address);
    await control.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    const bulk = await harness.raw(b.peers.address);
    await bulk.greet({ lane: "bulk", stamp: 2, pairStamp: 1, from: "x#1", to: "b#1" });
    // What it says by itself is no answer. The first of the beats, which come twice a second, still counts the hello.
    for (let beats = 1; beats <= 4; beats++) {
      control.send(KIND.message, text("here"));
      await b.signal.until(() => b.log.length === 1 + beats);
      clock.advance(500);
    }
    expect(b.healths).toEqual([]);
    clock.advance(500);
    expect([b.healths, b.peers.isUp("x#1")]).toEqual([["x#1 silent"], true]);
    control.send(KIND.pong, control.of(KIND.ping)[0] as Uint8Array);
    control.send(KIND.message, text("mark"));
    await b.signal.until(() => b.log.length === 6);
    clock.advance(500);
    expect(b.healths).toEqual(["x#1 silent", "x#1 answering"]);
  });

  it("tells that a process is gone whose host says that nobody listens there, and that it is back", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    const { port } = b.peers;
    await b.peers.close();
    await a.signal.until(() => a.healths.length === 1);
    expect(a.healths).toEqual(["b#1 gone"]);
    const back = await harness.node("b#1", { listen: { host: "127.0.0.1", port } });
    await a.signal.until(() => a.healths.length === 2);
    expect([a.healths[1], back.ref]).toEqual(["b#1 answering", "b#1"]);
  });

  it("gives up a dial that nobody answers, and dials again", async () => {
    const clock = new ManualClock();
    const a = await harness.node("a#1", { clock, limits });
    const server = await harness.rawServer();
    a.peers.reach("x#1", server.address);
    const mute = await server.next();
    await mute.next(KIND.hello);
    clock.advance(1_999);
    expect(a.problems).toEqual([]);
    clock.advance(1);
    expect(a.problems).toEqual(["x#1 E_PEER_UNREACHABLE no connection within 2000 ms"]);
    await mute.whenClosed();
    clock.advance(100);
    expect((await (await server.next()).next(KIND.hello)).length).toBeGreaterThan(0);
  });

  it("gives up a peer whose bulk lane does not come", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits });
    const raw = await harness.raw(b.peers.address);
    await raw.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    for (let i = 0; i < 3; i++) {
      raw.send(KIND.message, text("here"));
      await b.signal.until(() => b.log.length === i + 2);
      clock.advance(1_000);
    }
    expect(b.log.at(-1)).toBe("down x#1");
    expect(b.problems[0]).toContain("bulk lane");
  });

  it("finds two nodes whose wire swallows everything, and brings them together again", async () => {
    const quick = { peerHeartbeatMs: 50, peerTimeoutMs: 200, peerConnectTimeoutMs: 100, peerReconnectMaxMs: 20 };
    const a = await harness.node("a#1", { limits: quick });
    const b = await harness.node("b#1", { limits: quick });
    const wire = await harness.wire(b.peers.address);
    await harness.couple(a, b, wire.address);
    wire.silence(true);
    await Promise.all([a.signal.until(() => a.log.length === 2), b.signal.until(() => b.log.length === 2)]);
    expect([a.log[1], b.log[1]]).toEqual(["down b#1", "down a#1"]);
    wire.silence(false);
    await a.signal.until(() => a.peers.isUp("b#1"));
    a.peers.send("b#1", "control", text("back"));
    await b.signal.until(() => b.log.at(-1) === "back from a#1");
  });

  it("backs off with jitter up to its bound", async () => {
    const delays: number[] = [];
    const clock = new ManualClock();
    const gone = await harness.node("b#1");
    const { address } = gone.peers;
    await gone.peers.close();
    let wake = () => {};
    const schedule = clock.schedule.bind(clock);
    clock.schedule = (delayMs, task) => {
      if (delayMs < 1_000) {
        delays.push(delayMs);
        wake();
      }
      return schedule(delayMs, task);
    };
    let draw = 0;
    const random = { next: () => (draw++ % 2 === 0 ? 0 : 0.5), bytes: (n: number) => new Uint8Array(n) };
    const a = await harness.node("a#1", { clock, random, limits: { ...limits, peerReconnectMaxMs: 300 } });
    for (let attempt = 0; attempt < 7; attempt++) {
      const waiting = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (attempt === 0) a.peers.reach("b#1", address);
      else clock.advance(delays.at(-1) as number);
      await waiting;
    }
    expect(delays).toEqual([10, 30, 40, 120, 150, 225, 150]);
    expect(a.problems).toHaveLength(1);
  });
});
