import { decodePeerMessage } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { RawClient } from "./raw-client.js";
import { SimCluster } from "./sim-cluster.js";
import { Talker } from "./talker.js";

const KEY = "counter/left";

async function moved(cluster: SimCluster, to: string): Promise<void> {
  const from = cluster.ownerOf(KEY) as string;
  await cluster.until(cluster.node(from).runtime?.move(KEY, to) as Promise<unknown>);
  await cluster.untilTrue(`${to} owns`, () => cluster.ownerOf(KEY) === to);
}

describe("copies that a session leaves behind", () => {
  it("are freed on the word of an owner that their node has not heard of before", async () => {
    const cluster = new SimCluster({ seed: 11, nodes: ["a", "b", "c", "d"], definitions: [counter] });
    await cluster.start();
    const client = await cluster.until(cluster.connect<typeof counter>(KEY, ["d"]));
    for (const to of ["a", "b", "c", "d", "a", "b"]) await moved(cluster, to);
    await cluster.clock.run(200);
    const holding = [...cluster.nodes.values()].filter((node) => node.runtime?.host?.slots.has(KEY)).map((node) => node.id);
    expect(holding.sort()).toEqual(["a", "b"]);
    client.close();
  });

  it("do not keep clients at their node from a session that has gone on", async () => {
    const cluster = new SimCluster({
      seed: 12,
      nodes: ["a", "b", "c", "d"],
      definitions: [counter],
      clientLimits: { maxSwitchAttempts: 1 },
    });
    await cluster.start();
    // The copies are never told that they are not fed any more.
    cluster.network.intercept = ({ bytes }) => (decodePeerMessage(systemCrc32, bytes).t === "drop" ? { copies: 0, extraMs: 0 } : undefined);
    const ann = new Talker("ann", await cluster.until(cluster.connect<typeof counter>(KEY, ["a"])));
    for (const to of ["b", "c", "d", "b", "c", "d"]) await moved(cluster, to);
    await cluster.clock.run(500);
    // Somebody new comes to each node, the ones with stale copies among them, and is served at once.
    for (const id of ["a", "b", "c", "d"]) {
      const guest = new Talker(`guest at ${id}`, await cluster.until(cluster.connect<typeof counter>(KEY, [id]), 2_000));
      await cluster.until(guest.say(), 1_000);
      expect(guest.report().problems).toEqual([]);
    }
    await cluster.until(ann.say(), 1_000);
    expect(ann.report().problems).toEqual([]);
  });

  it("a client of a session whose state was lost is told so", async () => {
    const cluster = new SimCluster({ seed: 13, nodes: ["a", "b"], definitions: [counter], limits: { standbys: 0, leaseTtlMs: 1_000 } });
    await cluster.start();
    const client = await cluster.until(cluster.connect<typeof counter>(KEY, ["a", "b"]));
    const reasons: string[] = [];
    client.on("reset", ({ reason }) => reasons.push(reason));
    await cluster.until(client.call.add({ who: "ann", n: 1 }));
    cluster.crash("a");
    await cluster.untilTrue("b has started it anew", () => cluster.ownerOf(KEY) === "b");
    await cluster.untilTrue("the client is told", () => reasons.length > 0);
    expect(reasons).toEqual(["E_SESSION_LOST"]);
    expect(cluster.incidents.map(({ code }) => code)).toContain("E_SESSION_LOST");
  });
});

describe("places that came to nothing", () => {
  const empty = (cluster: SimCluster) =>
    [...cluster.nodes.values()].flatMap(({ id, runtime }) =>
      [...(runtime?.host?.slots.values() ?? [])].filter((slot) => slot.role.kind === "absent").map((slot) => `${slot.key} at ${id}`),
    );

  it("are thrown away: another node had created the session first", async () => {
    const cluster = new SimCluster({ seed: 14, nodes: ["a", "b", "c"], definitions: [counter], limits: { standbys: 0 } });
    await cluster.start();
    const clients = await cluster.until(Promise.all(["a", "b", "c"].map((id) => cluster.connect<typeof counter>(KEY, [id]))));
    await cluster.clock.run(200);
    expect(empty(cluster)).toEqual([]);
    expect(clients.map(({ status }) => status)).toEqual(["live", "live", "live"]);
  });

  it("are thrown away: an offer was out of date", async () => {
    const cluster = new SimCluster({ seed: 15, nodes: ["a", "b", "c", "d"], definitions: [counter], limits: { standbys: 0 } });
    await cluster.start();
    const client = await cluster.until(cluster.connect<typeof counter>(KEY, ["a"]));
    const offers: { readonly from: string; readonly data: Uint8Array }[] = [];
    cluster.network.intercept = ({ from, bytes }) => {
      const message = decodePeerMessage(systemCrc32, bytes);
      if (message.t === "offer" && message.epoch === 1) offers.push({ from: nodeOf(cluster, from), data: bytes.slice() });
      return undefined;
    };
    for (const to of ["b", "c", "d"]) await moved(cluster, to);
    await cluster.clock.run(cluster.limits.replicaRetentionMs);
    const host = cluster.node("b").runtime?.host;
    for (const { from, data } of offers) host?.onMessage(from, data);
    await cluster.clock.run(200);
    expect(offers.length).toBeGreaterThan(0);
    expect(empty(cluster)).toEqual([]);
    client.close();
  });
});

describe("a session that has ended", () => {
  /** Ann ends the session at a; the client at c misses it, as nothing that a says to clients there arrives. */
  async function missed(seed: number) {
    const cluster = new SimCluster({ seed, nodes: ["a", "b", "c"], definitions: [counter], limits: { standbys: 0 } });
    await cluster.start();
    const ann = await cluster.until(cluster.connect<typeof counter>(KEY, ["a"]));
    const raw = await RawClient.open(cluster, KEY, "c");
    raw.hello("link", "token", "next");
    const { epoch } = await raw.next("welcome");
    cluster.network.intercept = ({ bytes }) =>
      decodePeerMessage(systemCrc32, bytes).t === "output" ? { copies: 0, extraMs: 0 } : undefined;
    ann.call.end().catch(() => undefined);
    await cluster.untilTrue("its record says so", () => cluster.directory.records.get(KEY)?.ended === true);
    await cluster.clock.run(100);
    cluster.network.intercept = null;
    const ended = () => cluster.directory.records.get(KEY)?.ended;
    return { cluster, raw, epoch, ended };
  }

  it("is not brought back by the end of a socket", async () => {
    const { cluster, raw, ended } = await missed(16);
    raw.close();
    await cluster.clock.run(1_000);
    expect(ended()).toBe(true);
  });

  it("is not brought back by a link that it had; who missed its end is told", async () => {
    const { cluster, raw, ended } = await missed(17);
    raw.input(1, "add", { who: "raw", n: 1 });
    expect(await raw.next("problem")).toMatchObject({ code: "E_SESSION_ENDED", fatal: true });
    await cluster.clock.run(1_000);
    expect(ended()).toBe(true);
  });

  it("is not brought back by a client that comes back, but by one that comes new", async () => {
    const { cluster, raw, epoch, ended } = await missed(18);
    raw.close();
    const back = await RawClient.open(cluster, KEY, "b");
    back.hello("link", "next", "third", { epoch });
    expect(await back.next("problem")).toMatchObject({ code: "E_SESSION_ENDED", fatal: true });
    expect(ended()).toBe(true);
    const fresh = await RawClient.open(cluster, KEY, "b");
    fresh.hello("other", "token", "next");
    expect((await fresh.next("welcome")).epoch).toBe(epoch + 1);
    expect(ended()).toBe(false);
  });

  it("is not brought back by who once wanted it and is gone", async () => {
    const cluster = new SimCluster({ seed: 19, nodes: ["a", "b"], definitions: [counter], limits: { standbys: 0 } });
    await cluster.start();
    const b = cluster.node("b").directory;
    let writes = 0;
    b.intercept = () => {
      writes++;
      return { fate: "lost" };
    };
    const gone = await RawClient.open(cluster, KEY, "b");
    gone.hello("link", "token", "next");
    await cluster.untilTrue("b writes", () => writes > 0);
    gone.close();
    const ann = await cluster.until(cluster.connect<typeof counter>(KEY, ["a"]));
    ann.call.end().catch(() => undefined);
    await cluster.untilTrue("its record says so", () => cluster.directory.records.get(KEY)?.ended === true);
    b.intercept = null;
    await cluster.clock.run(cluster.limits.directoryTimeoutMs * 4);
    expect(cluster.directory.records.get(KEY)).toMatchObject({ epoch: 1, ended: true });
    expect(cluster.slot("b", KEY)).toBeUndefined();
  });
});

function nodeOf(cluster: SimCluster, address: string): string {
  return [...cluster.nodes.values()].find((node) => node.address === address)?.runtime?.self ?? "";
}
