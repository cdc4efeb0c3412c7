import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.js";

describe("VirtualClock", () => {
  test("runs due tasks in order of due time, then of scheduling, at their own time", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ delay: fc.nat(50), cancel: fc.boolean() })), (plan) => {
        const clock = new VirtualClock({ startMs: 10 });
        const seen: [number, number][] = [];
        plan.forEach(({ delay, cancel }, i) => {
          const task = clock.schedule(delay, () => seen.push([clock.now() - 10, i]));
          if (cancel) {
            task.cancel();
            task.cancel();
          }
        });
        const expected = plan
          .map(({ delay }, i): [number, number] => [delay, i])
          .filter(([, i]) => plan[i]?.cancel === false)
          .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(clock.pending).toBe(expected.length);
        clock.advance(25);
        expect(seen).toEqual(expected.filter(([delay]) => delay <= 25));
        clock.advance(25);
        expect(seen).toEqual(expected);
        expect(clock.pending).toBe(0);
        expect(clock.now()).toBe(60);
      }),
    );
  });

  test("never runs a task inside schedule, and runs what tasks schedule when it comes due", () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.schedule(0, () => {
      seen.push("first");
      clock.schedule(0, () => seen.push("third"));
      seen.push("second");
    });
    expect(seen).toEqual([]);
    expect(clock.advance(0)).toBe(2);
    expect(seen).toEqual(["first", "second", "third"]);
  });

  test("run lets promises settle before each task", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.schedule(1, () => {
      void Promise.resolve()
        .then(() => undefined)
        .then(() => seen.push("promise"));
    });
    clock.schedule(1, () => seen.push("task"));
    await clock.run(1);
    expect(seen).toEqual(["promise", "task"]);
  });

  test("runUntilIdle moves on as far as needed and refuses to run for ever", async () => {
    const clock = new VirtualClock({ startMs: 0 });
    clock.schedule(5, () => void clock.schedule(7, () => {}));
    expect(await clock.runUntilIdle()).toBe(2);
    expect(clock.now()).toBe(12);
    const again = (): void => void clock.schedule(1, again);
    again();
    await expect(clock.runUntilIdle(10)).rejects.toThrow("not idle");
  });

  test("the wall clock jumps without the monotonic one, and follows it otherwise", () => {
    const clock = new VirtualClock({ startMs: 5, wallStartMs: 1_000 });
    clock.jumpWall(-3_600_000);
    expect([clock.now(), clock.wallNow()]).toEqual([5, 1_000 - 3_600_000]);
    clock.advance(10);
    expect([clock.now(), clock.wallNow()]).toEqual([15, 1_010 - 3_600_000]);
  });

  test("after a stall tasks run late", () => {
    const clock = new VirtualClock({ startMs: 0 });
    const at: number[] = [];
    clock.schedule(10, () => at.push(clock.now()));
    clock.stall(50);
    expect(at).toEqual([]);
    clock.advance(0);
    expect(at).toEqual([50]);
  });
});
