import { openRedisSessionStore, type RedisClient } from "@sojourn/adapters/redis";
import type { SessionStore } from "@sojourn/core";
import { type DamagedPart, History, storeConformance } from "@sojourn/testkit/stores";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RedisServer } from "./support/redis-server.js";

interface Connection {
  readonly client: RedisClient;
  end(): void;
}

const CLIENTS = {
  async redis(path: string): Promise<Connection> {
    const client = createClient({ socket: { path, reconnectStrategy: false } });
    client.on("error", () => undefined);
    await client.connect();
    return { client, end: () => client.destroy() };
  },
  async ioredis(path: string): Promise<Connection> {
    const client = new Redis(path, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
    client.on("error", () => undefined);
    await client.connect();
    return { client, end: () => client.disconnect() };
  },
};

/** Changes kept bytes inside the server. */
async function damage(server: RedisServer, session: string, part: DamagedPart, how: "flip" | "cut"): Promise<void> {
  const raw = new Redis(server.socket);
  const bad = (row: Buffer): Buffer => {
    const at = row.length >> 1;
    return how === "cut" ? row.subarray(0, at) : Buffer.from(row.map((byte, i) => (i === at ? byte ^ 4 : byte)));
  };
  if (part === "newest base") {
    const key = `{sojourn}:bases:${session}`;
    const newest = (await raw.hkeys(key)).sort((a, b) => Number(b.split(".")[1]) - Number(a.split(".")[1]))[0] ?? "";
    await raw.hset(key, newest, bad((await raw.hgetBuffer(key, newest)) ?? Buffer.alloc(0)));
  } else {
    const key = `{sojourn}:log:${session}`;
    const at = part === "last record" ? -1 : -2;
    await raw.lset(key, at, bad((await raw.lindexBuffer(key, at)) ?? Buffer.alloc(0)));
  }
  raw.disconnect();
}

describe.each(["redis", "ioredis"] as const)("session store in Redis through %s", (name) => {
  const server = new RedisServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());

  const cases = storeConformance({
    async start(limits) {
      const raw = new Redis(server.socket);
      await raw.flushall();
      raw.disconnect();
      let connections: Connection[] = [];
      let stores: SessionStore[] = [];
      const open = async (): Promise<SessionStore> => {
        const connection = await CLIENTS[name](server.socket);
        connections.push(connection);
        const store = await openRedisSessionStore({ client: connection.client, limits });
        stores.push(store);
        return store;
      };
      const disconnect = (): void => {
        for (const { end } of connections) end();
        connections = [];
        stores = [];
      };
      const close = async (): Promise<void> => {
        for (const store of stores) await store.close();
        disconnect();
      };
      return {
        open,
        openSecond: open,
        reopen: close,
        async crash() {
          await server.kill();
          disconnect();
          await server.start();
        },
        damage: (session, part, how) => damage(server, session, part, how),
        close,
      };
    },
    durable: true,
    damageable: true,
    shared: true,
    modelRuns: 20,
  });
  for (const { name: title, skipped, run } of cases) test.skipIf(skipped !== undefined)(title, run);
});

describe("session store in Redis, beyond the port", () => {
  const server = new RedisServer();
  let admin: Redis;
  let client: Redis;
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(async () => {
    admin = new Redis(server.socket);
    admin.on("error", () => undefined);
    await admin.flushall();
    client = new Redis(server.socket, { maxRetriesPerRequest: 0 });
    client.on("error", () => undefined);
  });
  afterEach(async () => {
    await admin.config("SET", "maxmemory", "0", "maxmemory-policy", "noeviction");
    admin.disconnect();
    client.disconnect();
  });

  test("a server that may evict keys is refused", async () => {
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    await expect(openRedisSessionStore({ client })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });

  test("a full server is a named error, loses nothing, and goes on when there is room", async () => {
    const store = await openRedisSessionStore({ client });
    const history = new History();
    await store.putBase("room/a", history.base());
    await store.append([{ session: "room/a", record: history.turns(1) }]);
    await admin.config("SET", "maxmemory", "1");
    const before = history.at;
    const record = history.turns(1);
    expect(await store.append([{ session: "room/a", record }])).toMatchObject([{ outcome: "failed", error: { code: "E_STORE_FULL" } }]);
    await expect(store.putBase("room/a", history.base())).rejects.toMatchObject({ code: "E_STORE_FULL" });
    await expect(store.putBase("room/b", history.base(new Uint8Array(1_000_000)))).rejects.toMatchObject({ code: "E_STORE_FULL" });
    expect((await store.read("room/a"))?.end).toEqual(before);
    await admin.config("SET", "maxmemory", "0");
    expect(await store.append([{ session: "room/a", record }])).toEqual([{ outcome: "appended" }]);
    expect((await store.read("room/a"))?.end).toEqual(history.at);
  });

  test("scripts that the server has forgotten are sent again", async () => {
    const store = await openRedisSessionStore({ client });
    await store.putBase("room/a", new History().base());
    await admin.script("FLUSH");
    expect(await store.fence("room/a", 3)).toEqual({ outcome: "fenced" });
    expect((await store.read("room/a"))?.fence).toBe(3);
  });

  test("numbers up to 2^53 keep their last digit", async () => {
    const store = await openRedisSessionStore({ client });
    const history = new History({ epoch: 2 ** 53 - 3, version: 2 ** 53 - 10, hash: 0xffff_fff1 });
    await store.putBase("room/a", history.base());
    await store.append([{ session: "room/a", record: history.turns(3) }]);
    expect((await store.read("room/a"))?.end).toEqual(history.at);
    expect(await store.fence("room/a", 2 ** 53 - 4)).toEqual({ outcome: "stale", epoch: 2 ** 53 - 3 });
  });

  test("stores of different names share a server, and nothing of a removed one is left but its fence", async () => {
    const one = await openRedisSessionStore({ client, name: "one", limits: { storePieceBytes: 4_096 } });
    const two = await openRedisSessionStore({ client, name: "two" });
    const history = new History();
    for (let i = 0; i < 2; i++) await one.putBase("room/a", history.base(new Uint8Array(50_000)));
    expect((await admin.keys("{one}:piece:*")).length).toBe(13);
    await two.putBase("room/a", history.base());
    await one.remove("room/a", 1);
    expect(await admin.keys("{one}:*")).toHaveLength(2);
    expect((await two.read("room/a"))?.base.version).toBe(0);
    await one.forget("room/a");
    expect(await admin.keys("{one}:*")).toEqual([]);
  });

  test("a server that is gone, or does not answer, is E_STORE_UNAVAILABLE", async () => {
    const store = await openRedisSessionStore({ client, limits: { storeTimeoutMs: 200 } });
    const history = new History();
    await store.putBase("room/a", history.base());
    const entry = { session: "room/a", record: history.turns(1) };
    await admin.call("CLIENT", "PAUSE", "600", "ALL");
    expect(await store.append([entry])).toMatchObject([{ outcome: "failed", error: { code: "E_STORE_UNAVAILABLE" } }]);
    await admin.call("CLIENT", "UNPAUSE");
    // Whether it came to be was unknown; sent again it is there once.
    expect(await store.append([entry])).toEqual([{ outcome: "appended" }]);
    expect((await store.read("room/a"))?.end).toEqual(history.at);
    await server.kill();
    await expect(store.read("room/a")).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    await server.start();
  });
});
