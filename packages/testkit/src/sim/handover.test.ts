import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";
import { Talker } from "./talker.js";

const KEY = "counter/one";

async function clusterOf(seed: number, nodes: readonly string[] = ["a", "b", "c"]): Promise<SimCluster> {
  const cluster = new SimCluster({ seed, nodes, definitions: [counter] });
  await cluster.start();
  return cluster;
}

async function talker(cluster: SimCluster, name: string, through: readonly string[]): Promise<Talker> {
  const client = await cluster.until(cluster.connect<typeof counter>(KEY, through));
  return new Talker(name, client);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("hand-over on a calm network", () => {
  it("creates a session where its first client lands, and answers", async () => {
    const cluster = await clusterOf(1);
    const ann = await talker(cluster, "ann", ["a"]);
    await cluster.until(ann.say());
    expect(cluster.ownerOf(KEY)).toBe("a");
    expect(ann.report()).toEqual({ sent: 1, answered: 1, problems: [] });
  });

  it("moves a session while its clients talk; nothing is lost, doubled or reordered", async () => {
    const cluster = await clusterOf(2);
    const ann = await talker(cluster, "ann", ["a"]);
    const bob = await talker(cluster, "bob", ["c"]);
    const saying: Promise<void>[] = [];
    for (let round = 0; round < 6; round++) {
      const to = ["b", "c", "a"][round % 3] as string;
      const from = cluster.ownerOf(KEY) as string;
      const moved = cluster.node(from).runtime?.move(KEY, to);
      for (let i = 0; i < 20; i++) {
        saying.push(ann.say(), bob.say());
        await cluster.clock.run(1);
      }
      await cluster.until(moved as Promise<unknown>);
      await cluster.untilTrue("one owner", () => cluster.ownerOf(KEY) === to);
    }
    await cluster.until(Promise.all(saying));
    const read = await cluster.until(ann.client.call.read());
    expect(read.seen).toEqual({ ann: numbers(120), bob: numbers(120) });
    expect(read.moves).toBe(6);
    expect(ann.report().problems).toEqual([]);
    expect(bob.report().problems).toEqual([]);
    await cluster.clock.run(5_000);
    expect(cluster.incidents).toEqual([]);
    expect(ann.client.owner).toBe("a");
    expect(ann.client.endpoint).toBe("sim://a");
  });
});
