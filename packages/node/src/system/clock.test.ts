import { describe, expect, it } from "vitest";
import { type ClockSource, createSystemClock } from "./clock.js";

class FakeSource implements ClockSource {
  now = 1_000.5;
  timers: { task: () => void; delayMs: number; cleared: boolean }[] = [];
  monotonicMs = () => this.now;
  wallMs = () => 7;
  setTimer = (task: () => void, delayMs: number) => {
    const timer = { task, delayMs, cleared: false };
    this.timers.push(timer);
    return timer;
  };
  clearTimer = (timer: unknown) => {
    (timer as { cleared: boolean }).cleared = true;
  };
  fireLast() {
    this.timers.at(-1)?.task();
  }
}

describe("system clock", () => {
  it("waits again when the runtime's timer comes early", () => {
    const source = new FakeSource();
    let runs = 0;
    createSystemClock(source).schedule(10, () => runs++);
    source.now += 9.7;
    source.fireLast();
    expect(runs).toBe(0);
    expect(source.timers.at(-1)?.delayMs).toBe(1);
    source.now += 0.3;
    source.fireLast();
    expect(runs).toBe(1);
    source.fireLast();
    expect(runs).toBe(1);
  });

  it("splits delays longer than the runtime can take", () => {
    const source = new FakeSource();
    let runs = 0;
    createSystemClock(source).schedule(2 ** 31 + 5_000, () => runs++);
    expect(source.timers[0]?.delayMs).toBe(2 ** 31 - 1);
    source.now += 2 ** 31 - 1;
    source.fireLast();
    expect(runs).toBe(0);
    expect(source.timers[1]?.delayMs).toBe(5_001);
    source.now += 5_001;
    source.fireLast();
    expect(runs).toBe(1);
  });

  it("cancels once, and not after the run", () => {
    const source = new FakeSource();
    let runs = 0;
    const task = createSystemClock(source).schedule(1, () => runs++);
    task.cancel();
    task.cancel();
    expect(source.timers[0]?.cleared).toBe(true);
    source.now += 5;
    source.fireLast();
    expect(runs).toBe(0);
  });

  it("runs tasks of the real clock in order of their time, outside the scheduling call", async () => {
    const clock = createSystemClock();
    const order: string[] = [];
    const startedMs = clock.now();
    await new Promise<void>((resolve) => {
      clock.schedule(8, () => {
        order.push("late");
        resolve();
      });
      clock.schedule(-1, () => order.push("now"));
      order.push("sync");
    });
    expect(order).toEqual(["sync", "now", "late"]);
    expect(clock.now() - startedMs).toBeGreaterThanOrEqual(8);
    expect(clock.wallNow()).toBeGreaterThan(1_600_000_000_000);
  });
});
