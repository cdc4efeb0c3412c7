import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Harness, ManualClock, text } from "../../test-support/channel-harness.js";
import { CHANNEL_PROTOCOL, decodeRefusal, encodeHello, encodeNumber, encodeRefusal, KIND } from "./channel-frames.js";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

const hello = (over: object = {}) => ({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1", ...over }) as const;

describe("what strangers send", () => {
  it.each([
    ["a web browser", text("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "E_FRAME_TOO_LARGE"],
    ["zeros", new Uint8Array(64), "E_FRAME_MALFORMED"],
    ["a frame that is no hello", Uint8Array.of(2, 0, 0, 0, KIND.message, 1), "E_FRAME_MALFORMED"],
    ["a hello without the magic", Uint8Array.of(6, 0, 0, 0, KIND.hello, 1, 2, 3, 4, 1), "E_FRAME_MALFORMED"],
    ["a large frame before the hello", Uint8Array.of(1, 4, 0, 0), "E_FRAME_TOO_LARGE"],
  ])("%s is refused by name and others go on", async (_name, bytes, code) => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    const raw = await harness.raw(b.peers.address);
    raw.socket.write(bytes);
    await raw.whenClosed();
    expect(raw.of(KIND.refuse).map((p) => decodeRefusal(p).code)).toEqual([code]);
    expect(b.problems).toHaveLength(1);
    expect(b.problems[0]).toContain(`? ${code}`);
    a.peers.send("b#1", "control", text("fine"));
    await b.signal.until(() => b.log.length === 2);
    expect(b.log).toEqual(["up a#1", "fine from a#1"]);
  });

  it("another protocol version is told so, on either side", async () => {
    const b = await harness.node("b#1");
    const raw = await harness.raw(b.peers.address);
    await raw.greet(hello(), CHANNEL_PROTOCOL + 1);
    await raw.whenClosed();
    expect(decodeRefusal(await raw.next(KIND.refuse)).code).toBe("E_PROTOCOL_VERSION");
    expect(b.problems[0]).toContain("E_PROTOCOL_VERSION");

    const server = await harness.rawServer();
    b.peers.reach("new#1", server.address);
    const dialled = await server.next();
    await dialled.next(KIND.hello);
    dialled.send(KIND.refuse, encodeRefusal({ code: "E_PROTOCOL_VERSION", message: "we speak 2" }));
    await b.signal.until(() => b.problems.length === 2);
    expect(b.problems[1]).toBe("new#1 E_PROTOCOL_VERSION we speak 2");
  });

  it.each([
    ["its own name", hello({ from: "b#1" })],
    ["no node id", hello({ from: "#1" })],
    ["no number", hello({ from: "x#y" })],
  ])("a hello with %s is refused", async (_name, bad) => {
    const b = await harness.node("b#1");
    const raw = await harness.raw(b.peers.address);
    await raw.greet(bad);
    expect(decodeRefusal(await raw.next(KIND.refuse)).code).toBe("E_FRAME_MALFORMED");
    expect(b.log).toEqual([]);
  });

  it("an oversize or malformed frame ends the pair by name, on both sides", async () => {
    const b = await harness.node("b#1", { limits: { maxPeerFrameBytes: 65_536 } });
    const a = await harness.node("a#1");
    await harness.couple(a, b);
    a.peers.send("b#1", "bulk", text("before"));
    a.peers.send("b#1", "bulk", new Uint8Array(70_000));
    await a.signal.until(() => a.log.includes("down b#1"));
    await b.signal.until(() => b.log.includes("down a#1"));
    expect(b.log).toEqual(["up a#1", "before from a#1", "down a#1"]);
    expect(b.problems[0]).toContain("a#1 E_FRAME_TOO_LARGE");
    expect(a.problems[0]).toContain("b#1 E_FRAME_TOO_LARGE");
  });

  it.each([
    ["a credit for nothing", KIND.credit, encodeNumber(1)],
    ["a credit that is cut", KIND.credit, Uint8Array.of(0x80)],
    ["a second hello", KIND.hello, encodeHello(hello())],
  ])("%s ends the pair", async (_name, kind, payload) => {
    const b = await harness.node("b#1");
    const raw = await harness.raw(b.peers.address);
    await raw.greet(hello());
    raw.send(kind, payload);
    raw.send(KIND.message, text("too late"));
    await raw.whenClosed();
    expect(b.log).toEqual(["up x#1", "down x#1"]);
    expect(b.problems[0]).toContain("x#1 E_FRAME_MALFORMED");
  });

  it("a bulk lane needs the control lane it names, once", async () => {
    const b = await harness.node("b#1");
    const control = await harness.raw(b.peers.address);
    await control.greet(hello({ stamp: 5 }));
    const wrong = await harness.raw(b.peers.address);
    await wrong.greet(hello({ lane: "bulk", stamp: 6, pairStamp: 4 }));
    expect(wrong.of(KIND.refuse)).toHaveLength(1);
    const bulk = await harness.raw(b.peers.address);
    await bulk.greet(hello({ lane: "bulk", stamp: 7, pairStamp: 5 }));
    expect(bulk.of(KIND.welcome)).toHaveLength(1);
    const second = await harness.raw(b.peers.address);
    await second.greet(hello({ lane: "bulk", stamp: 8, pairStamp: 5 }));
    expect(second.of(KIND.refuse)).toHaveLength(1);
    bulk.send(KIND.message, text("copy"));
    await b.signal.until(() => b.log.length === 2);
    expect(b.log).toEqual(["up x#1", "copy from x#1"]);
  });

  it("a later hello of the same peer replaces its pair, a late one does not", async () => {
    const b = await harness.node("b#1");
    const first = await harness.raw(b.peers.address);
    await first.greet(hello({ stamp: 5 }));
    const late = await harness.raw(b.peers.address);
    await late.greet(hello({ stamp: 4 }));
    expect(decodeRefusal(await late.next(KIND.refuse)).code).toBe("E_PEER_DUPLICATE");
    expect(b.log).toEqual(["up x#1"]);
    const second = await harness.raw(b.peers.address);
    await second.greet(hello({ stamp: 6 }));
    expect(second.of(KIND.welcome)).toHaveLength(1);
    await first.whenClosed();
    expect(b.log).toEqual(["up x#1", "down x#1", "up x#1"]);
  });

  it("of two dials that cross, the lower ref's is kept", async () => {
    const m = await harness.node("m#1");
    const server = await harness.rawServer();
    m.peers.reach("z#1", server.address);
    const toHigher = await server.next();
    await toHigher.next(KIND.hello);
    const fromHigher = await harness.raw(m.peers.address);
    await fromHigher.greet(hello({ from: "z#1", to: "m#1" }));
    expect(decodeRefusal(await fromHigher.next(KIND.refuse)).code).toBe("E_PEER_DUPLICATE");
    expect(toHigher.closed).toBe(false);

    m.peers.reach("a#1", server.address);
    const toLower = await server.next();
    await toLower.next(KIND.hello);
    const fromLower = await harness.raw(m.peers.address);
    await fromLower.greet(hello({ from: "a#1", to: "m#1" }));
    expect(fromLower.of(KIND.welcome)).toHaveLength(1);
    await toLower.whenClosed();
    expect(m.log).toEqual(["up a#1"]);
  });

  it("bounds those who say nothing, in number and in time", async () => {
    const clock = new ManualClock();
    const b = await harness.node("b#1", { clock, limits: { maxPeerHandshakes: 2, peerConnectTimeoutMs: 1_000 } });
    const [one, two] = [await harness.raw(b.peers.address), await harness.raw(b.peers.address)];
    const three = await harness.raw(b.peers.address);
    await three.whenClosed();
    expect(b.problems).toEqual(["? E_QUEUE_FULL more than 2 connections have not said hello"]);
    expect([one.closed, two.closed]).toEqual([false, false]);
    clock.advance(1_001);
    await Promise.all([one.whenClosed(), two.whenClosed()]);
    const four = await harness.raw(b.peers.address);
    await four.greet(hello());
    expect(four.of(KIND.welcome)).toHaveLength(1);
  });

  it("bounds peers that nobody asked for", async () => {
    const b = await harness.node("b#1", { limits: { maxPeers: 1 } });
    const one = await harness.raw(b.peers.address);
    await one.greet(hello());
    const two = await harness.raw(b.peers.address);
    await two.greet(hello({ from: "y#1" }));
    expect(decodeRefusal(await two.next(KIND.refuse)).code).toBe("E_QUEUE_FULL");
    expect(b.log).toEqual(["up x#1"]);
  });

  it("a probe that connects and leaves is no problem", async () => {
    const b = await harness.node("b#1");
    const [host, port] = b.peers.address.split(":");
    const probe = connect({ host: host as string, port: Number(port) });
    await new Promise<void>((resolve) =>
      probe
        .on("connect", () => probe.end())
        .on("close", () => resolve())
        .resume(),
    );
    const raw = await harness.raw(b.peers.address);
    await raw.greet(hello());
    expect(b.problems).toEqual([]);
    expect(b.log).toEqual(["up x#1"]);
  });
});
