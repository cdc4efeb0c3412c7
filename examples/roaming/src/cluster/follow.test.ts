import { SojournError } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { Follow } from "./follow.js";

interface Asked {
  readonly user: number;
  readonly to: string;
  readonly done: (blackoutMs: number | null) => void;
  readonly fail: (error: Error) => void;
}

const never = new Promise<void>(() => undefined);

function setup(maxInFlight = 10) {
  const asked: Asked[] = [];
  const log: string[] = [];
  const follow = new Follow((user, to) => new Promise((done, fail) => asked.push({ user, to, done, fail })), maxInFlight, {
    moved: (user, to, blackoutMs) => log.push(`${user} at ${to} after ${blackoutMs}`),
    failed: (user, to, code) => log.push(`${user} not at ${to}: ${code}`),
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { asked, log, follow, settle };
}

describe("the follow policy", () => {
  test("moves a session to its user, different sessions at once", async () => {
    const { asked, log, follow } = setup();
    follow.want(1, "a");
    follow.want(2, "b");
    expect(asked.map(({ user, to }) => [user, to])).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    for (const { done } of asked) done(3);
    expect(await follow.stop(never)).toBe(0);
    expect(log).toEqual(["1 at a after 3", "2 at b after 3"]);
  });

  test("keeps one move per session under way and then goes only to the latest place", async () => {
    const { asked, follow, settle } = setup();
    follow.want(1, "a");
    follow.want(1, "b");
    follow.want(1, "c");
    expect(asked).toHaveLength(1);
    asked[0]?.done(1);
    await settle();
    expect(asked.map(({ to }) => to)).toEqual(["a", "c"]);
    asked[1]?.done(1);
    await settle();
    expect(follow.inFlight).toBe(0);
  });

  test("does not go back and forth when the user is back before the move ended", async () => {
    const { asked, follow, settle } = setup();
    follow.want(1, "a");
    follow.want(1, "b");
    follow.want(1, "a");
    asked[0]?.done(1);
    await settle();
    expect(asked).toHaveLength(1);
  });

  test("tells a failure by its code, does not count a session that was there, and follows again later", async () => {
    const { asked, log, follow, settle } = setup();
    follow.want(1, "a");
    asked[0]?.fail(new SojournError("E_NODE_CORDONED"));
    await settle();
    follow.want(1, "b");
    asked[1]?.done(null);
    await settle();
    expect(log).toEqual(["1 not at a: E_NODE_CORDONED"]);
  });

  test("has no more under way than allowed; who waits goes to its latest place, first come first served", async () => {
    const { asked, follow, settle } = setup(1);
    follow.want(1, "a");
    follow.want(2, "b");
    follow.want(3, "b");
    follow.want(2, "c");
    for (let i = 0; i < 3; i++) {
      expect(asked).toHaveLength(i + 1);
      asked[i]?.done(1);
      await settle();
    }
    expect(asked.map(({ user, to }) => [user, to])).toEqual([
      [1, "a"],
      [2, "c"],
      [3, "b"],
    ]);
  });

  test("tells how many moves did not end in time", async () => {
    const { follow } = setup();
    follow.want(1, "a");
    expect(await follow.stop(Promise.resolve())).toBe(1);
  });

  test("starts nothing after the stop", async () => {
    const { asked, follow } = setup();
    follow.want(1, "a");
    follow.want(1, "b");
    const stopped = follow.stop(never);
    follow.want(2, "c");
    asked[0]?.done(1);
    await stopped;
    expect(asked).toHaveLength(1);
  });
});
