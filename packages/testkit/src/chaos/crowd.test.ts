import { describe, expect, test } from "vitest";
import { Crowd } from "./crowd.js";
import type { JoinOptions, Participant, Workload } from "./participant.js";

const COUNTS = { sent: 4, replies: 4, events: 2, lost: 0, doubled: 0, reordered: 0 };

/** Clients that do as the test says. */
function setUp(special: (number: number) => Partial<Participant> = () => ({})) {
  const joined: JoinOptions[] = [];
  const troubles: string[] = [];
  const closed: number[] = [];
  const workload: Workload = {
    module: "",
    async join(options) {
      joined.push(options);
      return {
        session: `talk/${options.number}`,
        open: 0,
        say: () => undefined,
        counts: () => COUNTS,
        audit: async () => [],
        unaudited: () => ({ ...COUNTS, lost: 3 }),
        close: () => closed.push(options.number),
        ...special(options.number),
      };
    },
  };
  return { crowd: new Crowd(workload, 5, (what) => troubles.push(what)), joined, troubles, closed };
}

describe("the clients of a run", () => {
  test("each join once, spread over the nodes, and their books are summed up", async () => {
    const { crowd, joined, closed } = setUp();
    await crowd.join(30, ["ws://a", "ws://b", "ws://c"]);
    expect(joined.map(({ number }) => number).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(joined.filter(({ endpoints }) => endpoints[0] === "ws://b")).toHaveLength(10);
    expect(await crowd.finish()).toEqual({ messages: 180, lost: 0, doubled: 0, reordered: 0, audited: 30, faults: [] });
    crowd.close();
    expect(closed).toHaveLength(30);
  });

  test("what cannot be audited counts as lost, and is told with what the books say", async () => {
    const { crowd } = setUp((number) =>
      number === 0 ? { audit: () => Promise.reject(new Error("gone")) } : { audit: async () => ["one is missing"] },
    );
    await crowd.join(2, ["ws://a"]);
    const result = await crowd.finish();
    crowd.close();
    expect(result).toMatchObject({ lost: 3, audited: 1 });
    expect([...result.faults].sort()).toEqual(["talk/0: no audit: Error: gone", "talk/1: one is missing"]);
  });

  test("trouble is told at once and counts at the end; what happens after the end does not", async () => {
    const { crowd, joined, troubles } = setUp();
    await crowd.join(1, ["ws://a"]);
    joined[0]?.trouble("a call failed");
    expect(troubles).toEqual(["client 0: a call failed"]);
    expect((await crowd.finish()).faults).toEqual(["client 0: a call failed"]);
    crowd.close();
    joined[0]?.trouble("the client ended");
    expect(troubles).toHaveLength(1);
  });

  test("a long pause between two answers is an outage, a short one is none", async () => {
    let said: () => void = () => undefined;
    const saying = new Promise<void>((resolve) => {
      said = resolve;
    });
    let open = 0;
    const { crowd, joined } = setUp(() => ({
      get open() {
        return open;
      },
      say: () => {
        open++;
        said();
      },
    }));
    await crowd.join(1, ["ws://a"]);
    crowd.talk();
    await saying;
    joined[0]?.answered();
    expect(crowd.outages().count).toBe(0);
    const from = performance.now();
    while (performance.now() - from < 250);
    joined[0]?.answered();
    crowd.close();
    expect(crowd.outages().count).toBe(1);
    expect(crowd.outages().max).toBeGreaterThanOrEqual(200);
  });
});
