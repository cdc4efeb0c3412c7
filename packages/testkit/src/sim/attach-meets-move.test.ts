import { describe, expect, it } from "vitest";
import { Stage } from "./nasty-stage.js";
import { RawClient } from "./raw-client.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;

describe("a client attaches while the session is being handed over", () => {
  it.each(["the target", "a third node"])(
    "and is welcomed by the new owner at once, at %s, when the old one could not release its turn",
    async (where) => {
      const stage = await Stage.open({ seed: 141, nodes: ["a", "b", "c", "d"], talkers: { ann: "a" } });
      const { cluster, key, standby, target } = stage;
      const third = ["b", "c", "d"].find((id) => id !== standby && id !== target) as string;
      const client = await RawClient.open(cluster, key, where === "the target" ? target : third);
      const granted = stage.taps.onFrame("grant", () => undefined);
      const attach = stage.taps.onFrame("attach", () => undefined);
      // What the attach produces waits for the standby, which is not heard again before the session has gone.
      const held = stage.taps.onFrame(
        ({ message }) => message.t === "ack" && attach.times > 0 && granted.times === 0,
        () => LOST,
        { ...ALWAYS, from: standby },
      );
      client.hello("late-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
      await cluster.untilTrue("the attach is under way", () => attach.times > 0, 100);
      const move = stage.move("a", target);
      await stage.until("the session has moved", () => move.end !== undefined, 2_000);
      expect(move.end).toEqual({ moved: true });
      expect([attach.times, held.times > 0]).toEqual([1, true]);
      const movedAtMs = cluster.clock.now();
      await client.next("welcome");
      expect(cluster.clock.now() - movedAtMs).toBeLessThan(cluster.limits.offerTimeoutMs / 8);
      expect(await stage.settle()).toEqual([]);
    },
  );

  it("and asks again at once when its way over nodes that were owners has grown too long", async () => {
    const stage = await Stage.open({ seed: 142, nodes: ["a", "b", "c", "d"], talkers: { ann: "d" }, limits: { maxRelayHops: 1 } });
    const { cluster, key } = stage;
    // d goes on believing in a.
    stage.taps.onFrame("route", () => LOST, { ...ALWAYS, to: "d" });
    for (const [from, to] of [
      ["a", "b"],
      ["b", "c"],
    ] as const) {
      const move = stage.move(from, to);
      await stage.until("the session has moved", () => move.end !== undefined, 2_000);
    }
    const refused = stage.taps.onFrame("misdirected", () => undefined);
    const client = await RawClient.open(cluster, key, "d");
    const saidAtMs = cluster.clock.now();
    client.hello("late-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    await client.next("welcome");
    expect(refused.times).toBe(1);
    expect(cluster.clock.now() - saidAtMs).toBeLessThan(cluster.limits.offerTimeoutMs / 8);
    expect(await stage.settle()).toEqual([]);
  });
});
