import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { measureOffset, SharedLease, sharedNowMs } from "./shared-lease.js";

describe("a lease in shared memory", () => {
  test("what one side writes the other reads; it only grows, and its end is not taken back", () => {
    const one = new SharedLease();
    const other = new SharedLease(one.buffer);
    one.extend(1_234.567);
    expect(other.validUntilMs()).toBe(1_234.567);
    other.extend(1_000);
    expect(one.validUntilMs()).toBe(1_234.567);
    expect(other.ended).toBe(false);
    one.end();
    expect(other.ended).toBe(true);
  });

  test("an instant is never rounded up", () => {
    const lease = new SharedLease();
    lease.extend(10.000_999_9);
    expect(lease.validUntilMs()).toBeLessThanOrEqual(10.000_999_9);
  });

  test("a tick is the shared clock's time", () => {
    const lease = new SharedLease();
    const before = sharedNowMs();
    lease.tick();
    expect(lease.lastTickMs()).toBeGreaterThan(before - 0.01);
    expect(lease.lastTickMs()).toBeLessThanOrEqual(sharedNowMs());
  });

  test("all threads read the same monotonic clock", async () => {
    const source = `
      const { parentPort } = require("node:worker_threads");
      parentPort.on("message", () => parentPort.postMessage(Number(process.hrtime.bigint()) / 1e6));
    `;
    const worker = new Worker(source, { eval: true });
    const ask = () =>
      new Promise<number>((resolve) => {
        worker.once("message", resolve);
        worker.postMessage("now");
      });
    await ask();
    for (let i = 0; i < 20; i++) {
      const before = sharedNowMs();
      const shared = await ask();
      expect(shared).toBeGreaterThanOrEqual(before);
      expect(shared).toBeLessThanOrEqual(sharedNowMs());
    }
    await worker.terminate();
  });
});

describe("the offset between a thread's clock and the shared one", () => {
  test("bounds the true one from both sides, by the tightest of several readings", () => {
    let ns = 0;
    const spent = [3, 9, 1, 5, 7, 7, 7, 7];
    let reading = 0;
    const TRUE_OFFSET = 1_000;
    const now = () => {
      ns += spent[Math.floor(reading++ / 2) % spent.length] ?? 1;
      return ns;
    };
    const { ahead, behind } = measureOffset(now, () => ns + TRUE_OFFSET);
    expect(behind).toBeLessThanOrEqual(TRUE_OFFSET);
    expect(ahead).toBeGreaterThanOrEqual(TRUE_OFFSET);
    expect(ahead - behind).toBe(1);
  });
});
