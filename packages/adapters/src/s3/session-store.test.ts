import { crc32 } from "node:zlib";
import { S3Client } from "@aws-sdk/client-s3";
import { LogRecords, type SessionStore, sealWhole } from "@sojourn/core";
import { S3Server } from "@sojourn/testkit/s3";
import { type DamagedPart, History, storeConformance } from "@sojourn/testkit/stores";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openS3SessionStore, type S3SessionStoreOptions } from "./session-store.js";

function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: "local",
    forcePathStyle: true,
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    maxAttempts: 3,
  });
}

/** Changes bytes where they lie in an object; a record may be one of several in it. */
async function damage(server: S3Server, store: SessionStore, session: string, part: DamagedPart, how: "flip" | "cut"): Promise<void> {
  const replica = await store.read(session);
  const record = replica?.log.at(part === "last record" ? -1 : -2);
  const needle = part === "newest base" ? replica?.base.bytes : record && new LogRecords(crc32, 1_000_000).encode(session, record);
  for (const [key, { body, etag }] of server.bucket.objects) {
    const at = needle === undefined ? -1 : body.indexOf(needle);
    if (needle === undefined || at < 0) continue;
    const bad = Buffer.from(body);
    const middle = at + (needle.length >> 1);
    if (how === "flip") bad[middle] = (bad[middle] ?? 0) ^ 4;
    const cutTo = part === "middle record" ? bad.fill(0, middle, at + needle.length) : bad.subarray(0, middle);
    server.bucket.objects.set(key, { body: how === "flip" ? bad : cutTo, etag });
    return;
  }
  throw new Error("what was to be damaged is not in the bucket");
}

describe.each(["conditional", "objects"] as const)("session store in S3, fencing %s", (fencing) => {
  const cases = storeConformance({
    async start(limits) {
      const server = new S3Server({ conditions: fencing === "conditional" });
      const endpoint = await server.start();
      const clients: S3Client[] = [];
      let stores: SessionStore[] = [];
      const open = async (): Promise<SessionStore> => {
        const client = clientOf(endpoint);
        clients.push(client);
        const store = await openS3SessionStore({ client, bucket: "b", limits });
        stores.push(store);
        return store;
      };
      const close = async (): Promise<void> => {
        for (const store of stores) await store.close();
        stores = [];
      };
      return {
        open,
        openSecond: open,
        reopen: close,
        // The writers die; what the server has been given it keeps.
        async crash() {
          for (const client of clients) client.destroy();
          stores = [];
        },
        damage: async (session, part, how) => damage(server, await open(), session, part, how),
        async close() {
          await close();
          for (const client of clients) client.destroy();
          await server.stop();
        },
      };
    },
    durable: true,
    damageable: true,
    shared: true,
    streamedBytes: 6_000_000,
    modelRuns: 5,
  });
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});

describe.each(["conditional", "objects"] as const)("session store in S3 under faults, fencing %s", (fencing) => {
  const session = "room/a";
  let server: S3Server;
  let client: S3Client;
  const open = (more: Partial<S3SessionStoreOptions> = {}): Promise<SessionStore> => openS3SessionStore({ client, bucket: "b", ...more });
  beforeEach(async () => {
    server = new S3Server({ conditions: fencing === "conditional" });
    client = clientOf(await server.start());
  });
  afterEach(async () => {
    client.destroy();
    await server.stop();
  });

  test("a write whose answer is lost is there once", async () => {
    const store = await open();
    const history = new History();
    await store.putBase(session, history.base());
    for (let i = 0; i < 4; i++) {
      let left = 1;
      server.fault = ({ method }) => (method === "PUT" && left-- > 0 ? "reset after" : null);
      expect(await store.append([{ session, record: history.turns(1) }])).toEqual([{ outcome: "appended" }]);
      left = 1;
      if (i === 2) await store.putBase(session, history.base());
    }
    server.fault = () => null;
    expect(await store.read(session)).toMatchObject({ end: history.at, damage: null, base: { version: 3 } });
    expect((await store.prune(session, 9)).keptBases).toBe(2);
  });

  test("a server that is slow or fails for a while is tried again; for long it is E_STORE_UNAVAILABLE, and nothing is half there", async () => {
    const store = await open();
    const history = new History();
    await store.putBase(session, history.base());
    let count = 0;
    server.fault = () => (["500", "503", null, "reset before", null] as const)[count++ % 5] ?? null;
    for (let i = 0; i < 4; i++) expect(await store.append([{ session, record: history.turns(1) }])).toEqual([{ outcome: "appended" }]);
    server.fault = ({ method }) => (method === "PUT" ? "503" : null);
    const end = history.at;
    const record = history.turns(1);
    expect(await store.append([{ session, record }])).toMatchObject([{ outcome: "failed", error: { code: "E_STORE_UNAVAILABLE" } }]);
    await expect(store.putBase(session, history.base())).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    expect((await store.read(session))?.end).toEqual(end);
    server.fault = () => null;
    expect(await store.append([{ session, record }])).toEqual([{ outcome: "appended" }]);
    expect((await store.read(session))?.end).toEqual(history.at);
  }, 30_000);

  test("one session that cannot be written does not fail the others of its group", async () => {
    const store = await open();
    const histories = [new History(), new History()];
    for (const [i, history] of histories.entries()) await store.putBase(`room/${i}`, history.base());
    server.fault = ({ method, key }) => (method === "PUT" && key.includes("room!2f1") ? "507" : null);
    const outcomes = await store.append(histories.map((history, i) => ({ session: `room/${i}`, record: history.turns(1) })));
    expect(outcomes).toMatchObject([{ outcome: "appended" }, { outcome: "failed", error: { code: "E_STORE_FULL" } }]);
  });

  test("an upload in parts that fails leaves no parts, and is not seen before its end", async () => {
    const store = await open({ limits: { storePartBytes: 5_242_880 } });
    const history = new History();
    let parts = 0;
    server.fault = ({ query }) => (query.has("partNumber") && ++parts > 1 ? "500" : null);
    const chunks = Array.from({ length: 12 }, (_, i) => new Uint8Array(1_000_000).fill(i));
    await expect(store.putBase(session, { ...history.base(), chunks })).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    expect(parts).toBeGreaterThan(1);
    expect(server.bucket.uploads.size).toBe(0);
    expect(await store.read(session)).toBeNull();
    server.fault = () => null;
    await store.putBase(session, { ...history.base(), chunks });
    expect((await store.read(session))?.base.bytes.length).toBe(12_000_000);
  }, 30_000);

  test("the fencing is found out once, and written down", async () => {
    await open();
    const before = server.requests;
    await open();
    expect(server.requests - before).toBe(1);
    const other = fencing === "conditional" ? "objects" : "conditional";
    await expect(open({ fencing: other })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
    await open({ prefix: "other", fencing: other === "objects" ? "objects" : fencing });
    expect(Buffer.from(server.bucket.objects.get("sojourn/store")?.body ?? []).toString()).toBe(`sojourn-sessions 1 ${fencing}`);
    server.bucket.put("sojourn/store", Buffer.from("somebody else's"));
    await expect(open()).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });

  test("keys of every alphabet are one folder each, and too long ones are refused", async () => {
    const store = await open();
    const sessions = ["room/é/😀", "room/a!2f", "room/a/", "room/%2F", "room/語語"];
    for (const one of sessions) await store.putBase(one, new History().base());
    expect((await store.list({ prefix: "", limit: 100 })).sessions.toSorted()).toEqual(sessions.toSorted());
    await expect(store.fence(`room/${"語".repeat(200)}`, 1)).rejects.toMatchObject({ code: "E_SESSION_KEY_INVALID" });
  });
});

describe("session store in S3, with what only conditions or only objects do", () => {
  const session = "room/a";
  let server: S3Server;
  let client: S3Client;
  const start = async (conditions: boolean): Promise<SessionStore> => {
    server = new S3Server({ conditions });
    client = clientOf(await server.start());
    return openS3SessionStore({ client, bucket: "b" });
  };
  afterEach(async () => {
    client.destroy();
    await server.stop();
  });

  test("records move out of the head object when it has grown", async () => {
    const store = await start(true);
    const history = new History();
    await store.putBase(session, history.base());
    for (let i = 0; i < 12; i++) await store.append([{ session, record: history.turns(1, 60_000) }]);
    const segments = [...server.bucket.objects.keys()].filter((key) => key.includes("/l-"));
    expect(segments.length).toBeGreaterThan(1);
    expect(server.bucket.objects.get("sojourn/s/room!2fa/head")?.body.length).toBeLessThan(400_000);
    expect(await store.read(session)).toMatchObject({ end: history.at, damage: null });
    await store.putBase(session, history.base());
    expect(await store.prune(session, 1)).toMatchObject({ removedRecords: 12, removedBases: 1 });
    expect([...server.bucket.objects.keys()].filter((key) => key.includes("/l-"))).toEqual([]);
  });

  test("a damaged head object is made up from the names of the others", async () => {
    const store = await start(true);
    const history = new History({ epoch: 4, version: 0, hash: 0 });
    await store.putBase(session, history.base());
    server.bucket.put("sojourn/s/room!2fa/head", Buffer.from("nonsense"));
    expect(await store.read(session)).toMatchObject({ base: { epoch: 4, version: 0 }, fence: 4 });
    expect(await store.fence(session, 3)).toEqual({ outcome: "stale", epoch: 4 });
  });

  test("what a fenced writer puts after the fence is acknowledged to nobody, misleads nobody, and no prune trusts it", async () => {
    const slow = await start(false);
    const fast = await openS3SessionStore({ client, bucket: "b" });
    const history = new History();
    await slow.putBase(session, history.base());
    await slow.append([{ session, record: history.turns(1) }]);
    // The old writer's put is on its way when the new owner fences, reads, and goes on; its later requests are lost.
    const next = history.fork(2, "new owner");
    const old = history.fork(1);
    const late = old.turns(1);
    await fast.fence(session, 2);
    expect((await fast.read(session))?.end).toEqual({ ...history.at, epoch: 1 });
    expect(await fast.append([{ session, record: next.turns(1) }])).toEqual([{ outcome: "appended" }]);
    const folder = "sojourn/s/room!2fa/";
    const at = (p: { epoch: number; version: number; hash: number }): string =>
      [...[p.epoch, p.version].map((n) => String(n).padStart(16, "0")), p.hash.toString(16).padStart(8, "0")].join(".");
    const record = new LogRecords(crc32, 1_000_000).encode(session, late);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(record.length);
    server.bucket.put(`${folder}l-${at(late)}.1.late`, Buffer.concat([length, record]));
    const sealed = sealWhole(session, { ...old.base(), chunks: [] }, { crc32: (bytes, seed = 0) => crc32(bytes, seed), maxBytes: 1_000 });
    server.bucket.put(`${folder}b-${at(old.at)}.1.late`, Buffer.from(sealed));
    expect(await fast.append([{ session, record: next.turns(1) }])).toEqual([{ outcome: "appended" }]);
    expect(await fast.read(session)).toMatchObject({ end: next.at });
    await fast.prune(session, 1);
    expect(await fast.read(session)).toMatchObject({ end: next.at });
    expect(await slow.append([{ session, record: old.turns(1) }])).toEqual([{ outcome: "stale", epoch: 2 }]);
  });
});
