import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Harness, text } from "../../test-support/channel-harness.js";
import { CHANNEL_PROTOCOL } from "./channel-frames.js";

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
    }
    await b.signal.until(() => b.log.length === 1_001);
    await a.signal.until(() => a.log.length === 501);
    expect(b.log[0]).toBe("up a#1");
    expect(b.log.filter((l) => l.startsWith("c"))).toEqual(Array.from({ length: 500 }, (_, i) => `c${i} from a#1`));
    expect(b.log.filter((l) => l.startsWith("b"))).toEqual(Array.from({ length: 500 }, (_, i) => `b${i} from a#1`));
    expect(a.log).toEqual(["up b#1", ...Array.from({ length: 500 }, (_, i) => `r${i} from b#1`)]);
    expect(CHANNEL_PROTOCOL).toBe(1);
  });

  it("writes what was sent in one tick together, and copies it", async () => {
    const a = await harness.node("a#1");
    const b = await harness.node("b#1");
    await harness.couple(a, b);
    await a.signal.until(() => a.peers.rttMs("b#1") !== undefined || true);
    const before = a.peers.stats();
    const message = text("000");
    for (let i = 0; i < 1_000; i++) {
      message.set(text(String(i).padStart(3, "0")));
      a.peers.send("b#1", "control", message);
    }
    await b.signal.until(() => b.log.length === 1_001);
    expect(b.log[1_000]).toBe("999 from a#1");
    const after = a.peers.stats();
    expect(after.framesSent - before.framesSent).toBeGreaterThanOrEqual(1_000);
    expect(after.writes - before.writes).toBeLessThan(10);
  });
});
