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

  it("keeps one timer of the runtime, for the earliest task", () => {
    const source = new FakeSource();
    const clock = createSystemClock(source);
    const order: string[] = [];
    clock.schedule(50, () => order.push("b"));
    clock.schedule(90, () => order.push("c"));
    clock.schedule(10, () => order.push("a"));
    clock.schedule(50, () => order.push("b2"));
    expect(source.timers.filter((timer) => !timer.cleared).map((timer) => timer.delayMs)).toEqual([10]);
    source.now += 50;
    source.fireLast();
    expect(order).toEqual(["a", "b", "b2"]);
    expect(source.timers.at(-1)?.delayMs).toBe(40);
  });

  it("goes on with the others when a task throws, and lets new tasks wait for the next turn", () => {
    const source = new FakeSource();
    const clock = createSystemClock(source);
    const order: string[] = [];
    clock.schedule(1, () => {
      clock.schedule(0, () => order.push("new"));
      throw new Error("as asked");
    });
    clock.schedule(1, () => order.push("other"));
    source.now += 1;
    expect(() => source.fireLast()).toThrow("as asked");
    source.fireLast();
    expect(order).toEqual(["other", "new"]);
  });

  it("holds no timer when everything was cancelled, and keeps the order of what was not", () => {
    const source = new FakeSource();
    const clock = createSystemClock(source);
    const ran: number[] = [];
    const tasks = Array.from({ length: 2_000 }, (_, i) => clock.schedule(1 + ((i * 7_919) % 1_000), () => ran.push((i * 7_919) % 1_000)));
    for (const [i, task] of tasks.entries()) if (i % 4 !== 0) task.cancel();
    source.now += 2_000;
    source.fireLast();
    expect(ran).toHaveLength(500);
    expect(ran).toEqual([...ran].sort((a, b) => a - b));
    const last = clock.schedule(5, () => undefined);
    last.cancel();
    expect(source.timers.at(-1)?.cleared).toBe(true);
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
