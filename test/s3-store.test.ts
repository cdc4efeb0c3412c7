import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { S3Client } from "@aws-sdk/client-s3";
import { openS3SessionStore } from "@sojourn/adapters/s3";
import { LogRecords, type SessionStore } from "@sojourn/core";
import { storeConformance } from "@sojourn/testkit/stores";
import S3rver from "s3rver";
import { describe, expect, test } from "vitest";
import { filesUnder } from "./support/files-under.js";

const BUCKET = "sessions";

/** A server that others wrote: it passes the conditions of puts over. */
async function startForeign(): Promise<{ readonly folder: string; readonly endpoint: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-s3rver-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = (await server.run()) as AddressInfo;
  return {
    folder,
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: "local",
    forcePathStyle: true,
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

const cases = storeConformance({
  async start(limits) {
    const server = await startForeign();
    const clients: S3Client[] = [];
    let stores: SessionStore[] = [];
    const open = async (): Promise<SessionStore> => {
      const client = clientOf(server.endpoint);
      clients.push(client);
      const store = await openS3SessionStore({ client, bucket: BUCKET, limits });
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
      async crash() {
        for (const client of clients) client.destroy();
        stores = [];
      },
      async damage(session, part, how) {
        const replica = await (await open()).read(session);
        const record = replica?.log.at(part === "last record" ? -1 : -2);
        const needle = part === "newest base" ? replica?.base.bytes : record && new LogRecords(crc32, 1_000_000).encode(session, record);
        for (const path of filesUnder(server.folder)) {
          const body = readFileSync(path);
          const at = needle === undefined ? -1 : body.indexOf(needle);
          if (needle === undefined || at < 0) continue;
          const middle = at + (needle.length >> 1);
          if (how === "flip") body[middle] = (body[middle] ?? 0) ^ 4;
          writeFileSync(path, how === "flip" ? body : body.subarray(0, middle));
          return;
        }
        throw new Error("what was to be damaged is not in the bucket");
      },
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
  modelRuns: 3,
});

describe("session store on a foreign S3 server", () => {
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);

  test("that it passes conditions over is found out", async () => {
    const server = await startForeign();
    const client = clientOf(server.endpoint);
    const store = await openS3SessionStore({ client, bucket: BUCKET });
    await expect(openS3SessionStore({ client, bucket: BUCKET, fencing: "conditional" })).rejects.toMatchObject({
      code: "E_CONFIG_INVALID",
    });
    await expect(openS3SessionStore({ client, bucket: "absent" })).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    await store.close();
    client.destroy();
    await server.stop();
  });
});
