import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, test } from "vitest";
import type { LeaseBook } from "./lease.js";
import { LeaseGuard } from "./lease-guard.js";

const RETRY_MS = 250;

function setUp() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const written = { untilMs: clock.now() + 900, ended: false };
  const book: LeaseBook = {
    validUntilMs: () => written.untilMs,
    extend: () => undefined,
    get ended() {
      return written.ended;
    },
    end: () => undefined,
  };
  const guard = new LeaseGuard(clock, book, RETRY_MS, {
    lapsed: () => told.push("lapsed"),
    resumed: () => told.push("resumed"),
    ended: () => told.push("ended"),
    failed: () => told.push("failed"),
  });
  return { clock, told, written, guard };
}

describe("a node's check of its own lease", () => {
  test("is valid up to the instant in the book, and tells once that it is over", () => {
    const { clock, told, guard } = setUp();
    clock.advance(899);
    expect(guard.valid()).toBe(true);
    clock.advance(1);
    expect(guard.valid()).toBe(false);
    clock.advance(10 * RETRY_MS);
    expect(told).toEqual(["lapsed"]);
  });

  test("goes by what another thread has written, without being told of it", () => {
    const { clock, told, written, guard } = setUp();
    written.untilMs += 900;
    clock.advance(1_000);
    expect(guard.valid()).toBe(true);
    clock.advance(800);
    expect(guard.valid()).toBe(false);
    expect(told).toEqual(["lapsed"]);
  });

  test("the clock counts, not the timer: a process that stood still finds it over before it is told anything", () => {
    const { clock, told, guard } = setUp();
    clock.stall(900);
    expect(guard.valid()).toBe(false);
    expect(told).toEqual([]);
  });

  test("once seen to be over it stays so until the node has been told that it holds again", () => {
    const { clock, told, written, guard } = setUp();
    clock.stall(900);
    expect(guard.valid()).toBe(false);
    written.untilMs = clock.now() + 900;
    expect(guard.valid()).toBe(false);
    clock.advance(RETRY_MS);
    expect(told).toEqual(["resumed"]);
    expect(guard.valid()).toBe(true);
  });

  test("comes back when the directory renews it after all, as often as that happens", () => {
    const { clock, told, written, guard } = setUp();
    for (let round = 0; round < 3; round++) {
      clock.advance(1_000);
      expect(guard.valid()).toBe(false);
      written.untilMs = clock.now() + 900;
      clock.advance(RETRY_MS);
      expect(guard.valid()).toBe(true);
    }
    expect(told).toEqual(["lapsed", "resumed", "lapsed", "resumed", "lapsed", "resumed"]);
  });

  test("the directory's word ends it at once and for ever", () => {
    const { clock, told, written, guard } = setUp();
    written.ended = true;
    expect(guard.valid()).toBe(false);
    guard.look();
    written.untilMs = clock.now() + 10_000;
    clock.advance(5_000);
    expect(told).toEqual(["ended"]);
    expect(guard.valid()).toBe(false);
  });

  test("says nothing more once it is stopped, and leaves no timer", async () => {
    const { clock, told, guard } = setUp();
    guard.stop();
    expect(guard.valid()).toBe(false);
    expect(await clock.runUntilIdle()).toBe(0);
    expect(told).toEqual([]);
  });
});
