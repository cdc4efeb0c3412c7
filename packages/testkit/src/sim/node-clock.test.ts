import { describe, expect, it } from "vitest";
import { VirtualClock } from "../virtual-clock.js";
import { NodeClock } from "./node-clock.js";

describe("the clock of a simulated machine", () => {
  it("goes on while its process is paused, and stands still while the machine sleeps", async () => {
    const outside = new VirtualClock({ outside: false });
    const [paused, asleep] = [new NodeClock(outside), new NodeClock(outside)];
    const start = outside.now();
    paused.pause();
    asleep.sleep();
    await outside.run(1_000);
    expect([paused.now() - start, asleep.now() - start]).toEqual([1_000, 0]);
    paused.wake();
    asleep.wake();
    await outside.run(10);
    expect([paused.now() - start, asleep.now() - start]).toEqual([1_010, 10]);
    expect([paused.hasSlept, asleep.hasSlept]).toEqual([false, true]);
    expect(asleep.wallNow()).toBe(outside.wallNow());
  });

  it.each([1, 1.05, 0.95])("puts off what was due by the time it slept, at rate %d", async (rate) => {
    const outside = new VirtualClock({ outside: false });
    const clock = new NodeClock(outside, rate);
    const due = clock.now() + 500;
    let rang = Number.NaN;
    clock.schedule(500, () => {
      rang = clock.now();
    });
    await outside.run(100);
    clock.sleep();
    await outside.run(5_000);
    clock.wake();
    await outside.run(200);
    expect(rang).toBeNaN();
    await outside.run(1_000);
    expect(rang).toBeGreaterThanOrEqual(due);
    expect(rang).toBeLessThan(due + 2);
    expect(clock.tasks).toBe(0);
  });

  it("forgets what was cancelled while it slept", async () => {
    const outside = new VirtualClock({ outside: false });
    const clock = new NodeClock(outside);
    let rang = 0;
    const task = clock.schedule(50, () => rang++);
    clock.sleep();
    await outside.run(100);
    clock.wake();
    await outside.run(10);
    task.cancel();
    await outside.run(1_000);
    expect([rang, clock.tasks]).toEqual([0, 0]);
  });

  it.each(["quick again", "paused"])("does what came while it was slow before what comes when it is %s", async (then) => {
    const outside = new VirtualClock({ outside: false });
    const clock = new NodeClock(outside);
    const done: number[] = [];
    clock.slow(100);
    for (let i = 0; i < 3; i++) clock.arrive(() => done.push(i));
    await outside.run(150);
    clock.slow(0);
    if (then === "paused") clock.pause();
    clock.arrive(() => done.push(3));
    await outside.run(10);
    if (clock.paused) clock.wake();
    await outside.run(1_000);
    expect(done).toEqual([0, 1, 2, 3]);
  });

  it.each([0, 1])("does what has come already at its new pace of %d ms", async (effortMs) => {
    const outside = new VirtualClock({ outside: false });
    const clock = new NodeClock(outside);
    const done: number[] = [];
    clock.slow(100);
    for (let i = 0; i < 50; i++) clock.arrive(() => done.push(i));
    await outside.run(250);
    expect(done).toEqual([0, 1]);
    clock.slow(effortMs);
    await outside.run(50);
    expect(done).toEqual(Array.from({ length: 50 }, (_, i) => i));
    clock.slow(0);
    clock.arrive(() => done.push(50));
    expect(done.at(-1)).toBe(50);
  });
});
