import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Harness, text, untext } from "../../test-support/channel-harness.js";
import { encodeNumber, KIND } from "./channel-frames.js";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

const CHUNK = new Uint8Array(131_072);

describe("flow control", () => {
  it("lets a control message pass a bulk backlog", async () => {
    const limits = { bulkWindowBytes: 1_048_576, suspectAfterMs: 60_000 };
    const a = await harness.node("a#1", { limits });
    const b = await harness.node("b#1", { limits });
    await harness.couple(a, b);
    let bulkBytes = 0;
    let bulkBytesAtControl = -1;
    let messages = 0;
    b.onMessage = (_from, message) => {
      if (message.length === CHUNK.length) {
        bulkBytes += message.length;
        messages++;
      } else {
        bulkBytesAtControl = bulkBytes;
      }
    };
    let queued = 0;
    while (a.peers.send("b#1", "bulk", CHUNK) === "queued") queued++;
    // 64 MB less the share of control
    expect(queued).toBeGreaterThan(440);
    expect(a.peers.send("b#1", "control", text("now"))).toBe("queued");
    await b.signal.until(() => bulkBytesAtControl >= 0);
    expect(bulkBytesAtControl).toBeLessThanOrEqual(limits.bulkWindowBytes);
    await b.signal.until(() => messages === queued);
    expect(a.peers.send("b#1", "bulk", CHUNK)).toBe("queued");
  });

  it("has no more than the window on its way without credit, and goes on by what is credited", async () => {
    const a = await harness.node("a#1", { limits: { bulkWindowBytes: 65_536, maxPeerQueueBytes: 1_048_576 } });
    const control = await harness.raw(a.peers.address);
    await control.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "a#1" });
    const kilobytes20 = new Uint8Array(20_000);
    // Queued before the bulk lane stands.
    for (let i = 0; i < 5; i++) expect(a.peers.send("x#1", "bulk", kilobytes20)).toBe("queued");
    expect(a.peers.stats().queuedBytes).toBeGreaterThanOrEqual(5 * 20_005);
    const bulk = await harness.raw(a.peers.address);
    await bulk.greet({ lane: "bulk", stamp: 2, pairStamp: 1, from: "x#1", to: "a#1" });
    await bulk.signal.until(() => bulk.of(KIND.message).length === 3);
    // The last control message shows that whatever could be sent before it was sent.
    a.peers.send("x#1", "control", text("mark"));
    await control.signal.until(() => control.of(KIND.message).some((m) => untext(m) === "mark"));
    expect(bulk.of(KIND.message)).toHaveLength(3);
    expect(a.peers.stats().queuedBytes).toBe(2 * 20_005);
    control.send(KIND.credit, encodeNumber(20_005));
    await bulk.signal.until(() => bulk.of(KIND.message).length === 4);
    control.send(KIND.credit, encodeNumber(3 * 20_005));
    await bulk.signal.until(() => bulk.of(KIND.message).length === 5);
    expect(a.peers.stats().queuedBytes).toBe(0);

    let queued = 0;
    while (a.peers.send("x#1", "bulk", kilobytes20) === "queued") queued++;
    expect(a.peers.stats().queuedBytes).toBeLessThanOrEqual(1_048_576 * (7 / 8));
    expect(queued).toBeGreaterThan(40);
    // Bulk is full; control still has room, up to its own bound.
    let controls = 0;
    while (a.peers.send("x#1", "control", kilobytes20) === "queued") controls++;
    expect(controls).toBeGreaterThanOrEqual(6);
    expect(a.peers.stats().queuedBytes).toBeLessThanOrEqual(1_048_576);
  });

  it("fills the whole window without waiting for credit, burst by burst", async () => {
    const a = await harness.node("a#1");
    const control = await harness.raw(a.peers.address);
    await control.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "a#1" });
    const bulk = await harness.raw(a.peers.address);
    await bulk.greet({ lane: "bulk", stamp: 2, pairStamp: 1, from: "x#1", to: "a#1" });
    for (let i = 0; i < 40; i++) a.peers.send("x#1", "bulk", CHUNK);
    const inWindow = Math.floor(4_194_304 / (CHUNK.length + 5));
    await bulk.signal.until(() => bulk.of(KIND.message).length === inWindow);
    expect(a.peers.stats().queuedBytes).toBe((40 - inWindow) * (CHUNK.length + 5));
  });

  it("credits exactly what its handler has consumed, on the control lane", async () => {
    const b = await harness.node("b#1");
    const control = await harness.raw(b.peers.address);
    await control.greet({ lane: "control", stamp: 1, pairStamp: 0, from: "x#1", to: "b#1" });
    const bulk = await harness.raw(b.peers.address);
    await bulk.greet({ lane: "bulk", stamp: 2, pairStamp: 1, from: "x#1", to: "b#1" });
    for (let i = 0; i < 10; i++) bulk.send(KIND.message, CHUNK);
    const credited = () => control.of(KIND.credit).reduce((sum, p) => sum + p.reduce((n, byte, i) => n + (byte & 0x7f) * 0x80 ** i, 0), 0);
    await control.signal.until(() => credited() >= 10 * (CHUNK.length + 5));
    expect(credited()).toBe(10 * (CHUNK.length + 5));
    control.send(KIND.message, text("control needs no credit"));
    await b.signal.until(() => b.log.length === 12);
    expect(credited()).toBe(10 * (CHUNK.length + 5));
  });
});
