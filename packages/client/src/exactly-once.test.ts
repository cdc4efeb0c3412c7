import fc from "fast-check";
import { expect, test } from "vitest";
import { setup } from "../test-support/setup.js";

const NODES = ["ws://a", "ws://b", "ws://c"];

const step = fc.record({
  what: fc.constantFrom(
    "call",
    "call",
    "call",
    "event",
    "event",
    "event",
    "kill",
    "move",
    "storm",
    "calm",
    "unreachable",
    "reachable",
    "rest",
  ),
  which: fc.nat(9),
  afterMs: fc.nat(400),
});

test("whatever happens to sockets and frames, each message arrives once and in order, both ways", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 80, size: "max" }), async (seed, steps) => {
      const { clock, cluster, client, log } = setup({ seed, limits: { callTimeoutMs: 3_600_000, retransmitMs: 300 } });
      const events: unknown[] = [];
      client.on("tick", (value) => events.push(value));
      const answers: Promise<unknown>[] = [];
      let made = 0;
      clock.advance(50);
      for (const { what, which, afterMs } of steps) {
        const node = NODES[which % NODES.length] as string;
        if (what === "call") answers.push(client.call.add?.(answers.length) as Promise<unknown>);
        if (what === "event") cluster.broadcast("tick", made++);
        if (what === "kill") cluster.live[which % Math.max(1, cluster.live.length)]?.die();
        if (what === "move") cluster.move(node, which * 20);
        if (what === "storm") cluster.weather = { lose: which / 25, twice: which / 12, jitterMs: which * 15 };
        if (what === "calm") cluster.weather = { lose: 0, twice: 0, jitterMs: 0 };
        if (what === "unreachable") cluster.unreachable.add(node);
        if (what === "reachable") cluster.unreachable.delete(node);
        clock.advance(what === "rest" ? afterMs * 20 : afterMs / 4);
      }
      cluster.weather = { lose: 0, twice: 0, jitterMs: 0 };
      cluster.unreachable.clear();
      clock.advance(60_000);
      expect(client.status).toBe("live");
      expect(log.filter((line) => line.startsWith("reset") || line.startsWith("problem"))).toEqual([]);
      const numbers = Array.from(answers.keys());
      expect([...cluster.handled.values()]).toEqual([numbers]);
      expect(await Promise.all(answers)).toEqual(numbers);
      // The client joins with the first welcome; what was broadcast before that is not for it.
      expect(events).toEqual(Array.from({ length: events.length }, (_, i) => made - events.length + i));
      expect(client.stats()).toMatchObject({ openCalls: 0, unackedInputs: 0 });
      expect([...cluster.links.values()][0]?.outbox).toEqual([]);
      client.close();
      clock.advance(100);
      expect(clock.pending).toBe(0);
      expect(cluster.links.size).toBe(0);
    }),
    { numRuns: 150, endOnFailure: true },
  );
}, 120_000);
