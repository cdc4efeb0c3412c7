import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, test } from "vitest";
import type { LeaseBook } from "./lease.js";
import { RenewalLoop } from "./renewal-loop.js";

const TTL_MS = 1_000;

function setUp(answer: (n: number) => Promise<"renewed" | "ended">, mayRenew: () => boolean = () => true, sentBeforeMs = 0) {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const untils: number[] = [];
  let asked = 0;
  let ended = false;
  const book: LeaseBook = {
    validUntilMs: () => startMs - sentBeforeMs + 900,
    extend: (untilMs) => untils.push(untilMs - startMs),
    get ended() {
      return ended;
    },
    end: () => {
      ended = true;
    },
  };
  const loop = new RenewalLoop({
    clock,
    ttlMs: TTL_MS,
    ref: "a#1",
    book,
    renew: () => answer(++asked),
    mayRenew,
    changed: () => undefined,
  });
  return { clock, untils, loop, asked: () => asked, ended: () => ended };
}

describe("renewing a lease", () => {
  test("counts from the sending of what succeeded, not from its answer", async () => {
    const { clock, untils } = setUp(() => new Promise((resolve) => clockRef.schedule(240, () => resolve("renewed"))));
    const clockRef = clock;
    await clock.run(500);
    expect(untils).toEqual([250 + 900]);
  });

  test("asks again at each interval, whatever became of the last one", async () => {
    const { clock, untils, asked } = setUp((n) =>
      n === 2 ? Promise.reject(new Error("away")) : n === 3 ? new Promise(() => undefined) : Promise.resolve("renewed"),
    );
    await clock.run(1_000);
    expect(asked()).toBe(4);
    expect(untils).toEqual([250 + 900, 1_000 + 900]);
  });

  test("begins at once with a lease whose renewal is overdue", async () => {
    const { clock, untils } = setUp(
      () => Promise.resolve("renewed"),
      () => true,
      700,
    );
    await clock.run(1);
    expect(untils).toEqual([900]);
  });

  test("stops when the directory says that the lease has ended", async () => {
    const { clock, asked, ended } = setUp((n) => Promise.resolve(n < 3 ? "renewed" : "ended"));
    await clock.run(5_000);
    expect(asked()).toBe(3);
    expect(ended()).toBe(true);
  });

  test("does not renew for a node that stands still, and goes on when it moves again", async () => {
    let stalled = false;
    const { clock, asked } = setUp(
      () => Promise.resolve("renewed"),
      () => !stalled,
    );
    await clock.run(500);
    stalled = true;
    await clock.run(2_000);
    expect(asked()).toBe(2);
    stalled = false;
    await clock.run(250);
    expect(asked()).toBe(3);
  });

  test("an answer that comes after the stop changes nothing", async () => {
    let answer: (outcome: "renewed") => void = () => undefined;
    const { clock, untils, loop } = setUp(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await clock.run(250);
    loop.stop();
    answer("renewed");
    await clock.run(1_000);
    expect(untils).toEqual([]);
  });
});
