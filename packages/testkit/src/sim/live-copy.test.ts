import { action, decodePeerMessage, defineSession, type PeerMessage } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SimCluster } from "./sim-cluster.js";

const KEY = "atlas/one";
const MAP_BYTES = 1_048_576;
const CHUNK_BYTES = 16_384;
const WINDOW_BYTES = CHUNK_BYTES * 4;

const atlas = defineSession({
  name: "atlas",
  version: 1,
  state: () => ({ map: new Uint8Array(MAP_BYTES), sum: 0, n: 0 }),
  actions: {
    write: action(z.number(), (ctx: { state: { map: Uint8Array; sum: number; n: number } }, at: number) => {
      const { state } = ctx;
      state.n++;
      const value = state.n % 256;
      state.sum += value - (state.map[at] as number);
      state.map[at] = value;
      return state.n;
    }),
    audit: action(null, (ctx: { state: { map: Uint8Array; sum: number; n: number } }) => {
      let sum = 0;
      for (const byte of ctx.state.map) sum += byte;
      return { n: ctx.state.n, right: sum === ctx.state.sum };
    }),
  },
});

/** A session of 1 MB at `a`, and what is said about copies of it between the nodes. */
async function stage(seed: number, latencyMs: number) {
  const cluster = new SimCluster({
    seed,
    nodes: ["a", "b"],
    definitions: [atlas],
    limits: { standbys: 0, bulkChunkBytes: CHUNK_BYTES, bulkWindowBytes: WINDOW_BYTES, ackTimeoutMs: 300, peerTimeoutMs: 1_000 },
  });
  cluster.network.plan = { ...cluster.network.plan, latencyMs };
  await cluster.start();
  const client = await cluster.until(cluster.connect<typeof atlas>(KEY, ["a"]));
  const said: PeerMessage[] = [];
  cluster.network.intercept = ({ bytes }) => {
    const message = decodePeerMessage(systemCrc32, bytes.slice());
    if (message.t === "piece" || message.t === "pieces" || message.t === "base") said.push(message);
    return undefined;
  };
  let answered = 0;
  const write = () => {
    void client.call.write((answered * 7_919) % MAP_BYTES).then(() => answered++);
  };
  const pieceBytes = () => said.reduce((sum, message) => sum + (message.t === "piece" ? message.chunk.length : 0), 0);
  const move = (to: string) => {
    const from = cluster.ownerOf(KEY) as string;
    const state = { moved: false, failed: "" };
    const asked = cluster.node(from).runtime?.move(KEY, to) as Promise<unknown>;
    asked.then(
      () => {
        state.moved = true;
      },
      (error: { readonly code?: string }) => {
        state.failed = error.code ?? String(error);
      },
    );
    return state;
  };
  return { cluster, client, said, write, pieceBytes, move, answered: () => answered };
}

describe("a session with a large array", () => {
  it("goes on with its turns while it is copied, and arrives as it is", async () => {
    const { cluster, client, write, pieceBytes, move, answered } = await stage(1, 5);
    const moving = move("b");
    let whileCopying = 0;
    for (let i = 0; !moving.moved && i < 2_000; i++) {
      write();
      await cluster.clock.run(5);
      if (!moving.moved) whileCopying = answered();
    }
    expect(moving.moved).toBe(true);
    expect(cluster.ownerOf(KEY)).toBe("b");
    expect(whileCopying).toBeGreaterThan(20);
    await cluster.clock.run(200);
    expect(await cluster.until(client.call.audit())).toEqual({ n: answered(), right: true });
    // What turns wrote meanwhile came again, page by page; the rest went once.
    expect(pieceBytes()).toBeLessThan(MAP_BYTES * 1.6);
  });

  it("never has more under way than the window", async () => {
    const { cluster, said, move } = await stage(2, 20);
    const moving = move("b");
    await cluster.untilTrue("it has moved", () => moving.moved);
    let seq = 0;
    let confirmed = 0;
    let most = 0;
    for (const message of said) {
      if (message.t === "piece") seq = message.seq;
      else if (message.t === "pieces") confirmed = message.seq;
      most = Math.max(most, seq - confirmed);
    }
    expect(seq).toBe(MAP_BYTES / CHUNK_BYTES);
    expect(most).toBeLessThanOrEqual(WINDOW_BYTES / CHUNK_BYTES);
  });

  it("is not copied from the beginning again when the connection is lost on the way", async () => {
    const { cluster, client, pieceBytes, move } = await stage(3, 5);
    const moving = move("b");
    await cluster.untilTrue("half of it is there", () => pieceBytes() > MAP_BYTES / 2);
    cluster.network.reset(cluster.node("a").address, cluster.node("b").address);
    await cluster.untilTrue("it has moved", () => moving.moved);
    expect(pieceBytes()).toBeLessThan(MAP_BYTES + WINDOW_BYTES * 2);
    expect(await cluster.until(client.call.audit())).toMatchObject({ right: true });
  });

  it("is copied anew when the node that was receiving it has begun anew", async () => {
    const { cluster, client, pieceBytes, move } = await stage(4, 5);
    const first = move("b");
    await cluster.untilTrue("half of it is there", () => pieceBytes() > MAP_BYTES / 2);
    cluster.crash("b");
    await cluster.startNode("b");
    await cluster.untilTrue("the first move is given up", () => first.failed !== "");
    const again = move("b");
    await cluster.untilTrue("it has moved", () => again.moved);
    expect(await cluster.until(client.call.audit())).toMatchObject({ right: true });
  });
});
