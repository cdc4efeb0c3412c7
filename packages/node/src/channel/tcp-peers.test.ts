import { errorCodeOf } from "@sojourn/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Harness, text } from "../../test-support/channel-harness.js";
import { KIND } from "./channel-frames.js";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

describe("control channel", () => {
  it("delivers in order within each lane, in both directions, after up", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    for (let i = 0; i < 500; i++) {
      expect(a.peers.send("b#1", "control", text(`c${i}`))).toBe("queued");
      expect(a.peers.send("b#1", "bulk", text(`b${i}`))).toBe("queued");
      expect(b.peers.send("a#1", "control", text(`r${i}`))).toBe("queued");
      expect(b.peers.send("a#1", "bulk", text(`s${i}`))).toBe("queued");
    }
    await b.signal.until(() => b.log.length === 1_001);
    await a.signal.until(() => a.log.length === 1_001);
    const numbered = (letter: string, from: string) => Array.from({ length: 500 }, (_, i) => `${letter}${i} from ${from}`);
    expect(b.log[0]).toBe("up a#1");
    expect(b.log.filter((l) => l.startsWith("c"))).toEqual(numbered("c", "a#1"));
    expect(b.log.filter((l) => l.startsWith("b"))).toEqual(numbered("b", "a#1"));
    expect(a.log[0]).toBe("up b#1");
    expect(a.log.filter((l) => l.startsWith("r"))).toEqual(numbered("r", "b#1"));
    expect(a.log.filter((l) => l.startsWith("s"))).toEqual(numbered("s", "b#1"));
  });

  it("writes what was sent in one tick together, and copies it", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    const before = a.peers.stats();
    const message = text("000");
    for (let i = 0; i < 1_000; i++) {
      message.set(text(String(i).padStart(3, "0")));
      a.peers.send("b#1", "control", message);
    }
    await b.signal.until(() => b.log.length === 1_001);
    expect(b.log.slice(1)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${String(i).padStart(3, "0")} from a#1`));
    const after = a.peers.stats();
    expect(after.framesSent - before.framesSent).toBeGreaterThanOrEqual(1_000);
    expect(after.writes - before.writes).toBeLessThan(10);
  });

  it("carries empty messages and messages of exactly the limit, and refuses larger ones at the sender", async () => {
    const limits = { maxPeerFrameBytes: 65_536 };
    const a = await harness.node("a#1", { limits });
    const b = await harness.node("b#1", { limits });
    await harness.couple(a, b);
    const sizes: number[] = [];
    b.onMessage = (_from, message) => sizes.push(message.length);
    a.peers.send("b#1", "control", new Uint8Array(0));
    a.peers.send("b#1", "control", new Uint8Array(65_535));
    a.peers.send("b#1", "bulk", new Uint8Array(65_535));
    let code = "";
    try {
      a.peers.send("b#1", "control", new Uint8Array(65_536));
    } catch (error) {
      code = errorCodeOf(error);
    }
    expect(code).toBe("E_FRAME_TOO_LARGE");
    await b.signal.until(() => sizes.length === 3);
    expect(sizes.sort((x, y) => x - y)).toEqual([0, 65_535, 65_535]);
  });

  it("answers unreachable before up, after forget and for strangers, and never calls back inside send", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    expect(a.peers.send("b#1", "control", text("x"))).toBe("unreachable");
    a.peers.reach("b#1", b.peers.address);
    expect(a.peers.send("b#1", "control", text("x"))).toBe("unreachable");
    await a.signal.until(() => a.peers.isUp("b#1"));
    a.peers.forget("b#1");
    a.peers.forget("b#1");
    expect(a.peers.isUp("b#1")).toBe(false);
    expect(a.log).toEqual(["up b#1"]);
    expect(a.peers.send("b#1", "control", text("x"))).toBe("unreachable");
    await Promise.all([a.signal.until(() => a.log.length === 2), b.signal.until(() => b.log.length === 2)]);
    expect(a.log).toEqual(["up b#1", "down b#1"]);
    expect(b.log).toEqual(["up a#1", "down a#1"]);
    expect(b.peers.stats().peers).toBe(0);
  });

  it("writes out what was sent before forget and close", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    a.peers.send("b#1", "control", text("last"));
    await a.peers.close();
    await b.signal.until(() => b.log.includes("down a#1"));
    expect(b.log).toEqual(["up a#1", "last from a#1", "down a#1"]);
    expect(a.peers.stats()).toMatchObject({ peers: 0, sockets: 0 });
  });

  it("makes one connection when both sides dial at once, and loses nothing sent from up on", async () => {
    for (let round = 1; round <= 30; round++) {
      const a = await harness.node(`a#${round}`);
      const b = await harness.node(`b#${round}`);
      // Whoever is up first sends at once, while the other side's dial may still be under way.
      const flood = (node: typeof a, to: string) =>
        node.signal
          .until(() => node.peers.isUp(to))
          .then(() => {
            for (let i = 0; i < 20; i++) node.peers.send(to, i % 2 === 0 ? "control" : "bulk", text(`${i}`));
          });
      const floods = [flood(a, b.ref), flood(b, a.ref)];
      a.peers.reach(b.ref, b.peers.address);
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      b.peers.reach(a.ref, a.peers.address);
      await Promise.all(floods);
      await a.signal.until(() => a.log.length >= 21);
      await b.signal.until(() => b.log.length >= 21);
      expect(a.log.filter((l) => l.startsWith("up") || l.startsWith("down"))).toEqual([`up ${b.ref}`]);
      expect(b.log.filter((l) => l.startsWith("up") || l.startsWith("down"))).toEqual([`up ${a.ref}`]);
      expect([...a.problems, ...b.problems]).toEqual([]);
      await Promise.all([a.peers.close(), b.peers.close()]);
    }
  });

  it("tells a cut once, comes back by itself and serves again", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    const wire = await harness.wire(b.peers.address);
    await harness.couple(a, b, wire.address);
    for (let cuts = 1; cuts <= 3; cuts++) {
      a.log.length = 0;
      b.log.length = 0;
      wire.cut();
      await a.signal.until(() => a.log.length === 2);
      await b.signal.until(() => b.log.length === 2);
      expect(a.log).toEqual(["down b#1", "up b#1"]);
      expect(b.log).toEqual(["down a#1", "up a#1"]);
      a.peers.send("b#1", "control", text("again"));
      b.peers.send("a#1", "bulk", text("too"));
      await b.signal.until(() => b.log.length === 3);
      await a.signal.until(() => a.log.length === 3);
      expect([a.log[2], b.log[2]]).toEqual(["too from b#1", "again from a#1"]);
    }
  });

  it("goes on dialling a peer that is not there yet, and tells the trouble once", async () => {
    const late = await harness.node("b#1");
    const { address } = late.peers;
    await late.peers.close();
    const a = await harness.node("a#1", { limits: { peerReconnectMaxMs: 10 } });
    a.peers.reach("b#1", address);
    await a.signal.until(() => a.problems.length === 1);
    const port = Number(address.split(":")[1]);
    await harness.node("b#1", { listen: { host: "127.0.0.1", port } });
    await a.signal.until(() => a.peers.isUp("b#1"));
    expect(a.problems).toHaveLength(1);
    expect(a.problems[0]).toContain("b#1 E_PEER_UNREACHABLE");
  });

  it("moves on to a new address while the old one does not answer", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    const mute = await harness.rawServer();
    a.peers.reach("b#1", mute.address);
    await mute.next();
    a.peers.reach("b#1", b.peers.address);
    await a.signal.until(() => a.peers.isUp("b#1"));
    a.peers.reach("b#1", b.peers.address);
    a.peers.reach("c#1", "no address");
    expect(a.problems).toEqual(['c#1 E_CONFIG_INVALID "no address" is not an address of a control channel; expected host:port']);
    expect(a.log).toEqual(["up b#1"]);
  });

  it("talks only to the incarnation that was meant", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#2");
    a.peers.reach("b#1", b.peers.address);
    await a.signal.until(() => a.problems.length > 0);
    expect(a.problems).toEqual(["b#1 E_PEER_INCARNATION this is b#2, not b#1"]);
    expect(b.problems[0]).toBe("a#1 E_PEER_INCARNATION this is b#2, not b#1");
    a.peers.reach("b#2", b.peers.address);
    await a.signal.until(() => a.peers.isUp("b#2"));
    expect(a.peers.isUp("b#1")).toBe(false);
    expect(a.peers.send("b#1", "control", text("old"))).toBe("unreachable");
    expect(a.log).toEqual(["up b#2"]);
  });

  it("delivers nothing that was meant for the life before", async () => {
    let ref = "b#1";
    const a = await harness.node("a#1");
    const b = await harness.node("b#1", { self: () => ref });
    await harness.couple(a, b);
    a.peers.send("b#1", "control", text("for the old life"));
    ref = "b#2";
    expect(b.peers.send("a#1", "control", text("from the old life"))).toBe("unreachable");
    await b.signal.until(() => b.log.length === 2);
    await a.signal.until(() => a.log.length === 2);
    expect(b.log).toEqual(["up a#1", "down a#1"]);
    expect(a.log).toEqual(["up b#1", "down b#1"]);
    a.peers.forget("b#1");
    a.peers.reach("b#2", b.peers.address);
    await b.signal.until(() => b.log.length === 3);
    expect(b.log[2]).toBe("up a#1");
  });

  it("survives a handler that throws, and one that forgets in the middle of an arrival", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    let calls = 0;
    b.onMessage = (from) => {
      if (++calls === 1) throw new Error("boom");
      if (calls === 3) {
        b.peers.forget(from);
        expect(b.log).toEqual(["up a#1"]);
      }
    };
    for (let i = 0; i < 5; i++) a.peers.send("b#1", "control", text(`${i}`));
    await b.signal.until(() => b.log.includes("down a#1"));
    expect(calls).toBe(3);
    expect(b.problems).toEqual(["a#1 E_INTERNAL the handler threw: boom"]);
  });

  it("refuses frames of no known kind and goes on with others", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    const raw = await harness.raw(b.peers.address);
    await raw.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    raw.send(99, new Uint8Array(3));
    await raw.whenClosed();
    expect(raw.of(KIND.refuse)).toHaveLength(1);
    expect(b.log).toEqual(["up a#1", "up x#1", "down x#1"]);
    a.peers.send("b#1", "control", text("fine"));
    await b.signal.until(() => b.log.includes("fine from a#1"));
  });
});
