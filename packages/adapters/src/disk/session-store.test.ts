import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { LogRecords, type SessionStore } from "@sojourn/core";
import { History, storeConformance } from "@sojourn/testkit/stores";
import { open as openRaw } from "lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDiskSessionStore } from "./session-store.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "sojourn-sessions-"));

/** What a power cut leaves: the file as it is at one moment. A reader of its own keeps LMDB from using pages again meanwhile. */
async function copyAsIs(from: string, to: string): Promise<void> {
  const raw = openRaw({ path: from, encoding: "string", noSubdir: false, maxDbs: 8, readOnly: true });
  const reader = raw.useReadTransaction();
  raw.get("format", { transaction: reader });
  mkdirSync(to);
  copyFileSync(join(from, "data.mdb"), join(to, "data.mdb"));
  reader.done();
  await raw.close();
}

/** The last place of the text in the file, as pages that are not used any more may hold older copies: all are changed. */
function damageBytes(path: string, needle: Uint8Array, change: (bytes: Buffer, at: number) => void): void {
  const file = join(path, "data.mdb");
  const bytes = readFileSync(file);
  let hits = 0;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    change(bytes, at);
    hits++;
  }
  if (hits === 0) throw new Error("what was to be damaged is not in the file");
  writeFileSync(file, bytes);
}

const cases = storeConformance({
  async start(limits) {
    const top = folder();
    let path = join(top, "0");
    let life = 0;
    let handles: SessionStore[] = [];
    const abandoned: SessionStore[] = [];
    const open = async (): Promise<SessionStore> => {
      const store = await openDiskSessionStore({ path, limits });
      handles.push(store);
      return store;
    };
    const closeAll = async (): Promise<void> => {
      for (const handle of handles) await handle.close();
      handles = [];
    };
    return {
      open,
      openSecond: open,
      reopen: closeAll,
      async crash() {
        const next = join(top, `${++life}`);
        await copyAsIs(path, next);
        abandoned.push(...handles);
        handles = [];
        path = next;
      },
      async damage(session, part, how) {
        const store = await open();
        const replica = await store.read(session);
        if (replica === null) throw new Error("nothing to damage");
        await closeAll();
        let whole: Uint8Array;
        if (part === "newest base") whole = replica.base.bytes;
        else {
          const record = replica.log.at(part === "last record" ? -1 : -2);
          if (record === undefined) throw new Error("no such record");
          whole = new LogRecords(crc32, 1_000_000).encode(session, record);
        }
        damageBytes(path, whole, (bytes, at) => {
          const middle = at + (whole.length >> 1);
          if (how === "flip") bytes[middle] = (bytes[middle] ?? 0) ^ 4;
          else bytes.fill(0, middle, at + whole.length);
        });
      },
      async close() {
        await closeAll();
        for (const handle of abandoned) await handle.close();
        rmSync(top, { recursive: true });
      },
    };
  },
  durable: true,
  damageable: true,
  shared: true,
  modelRuns: 15,
});

describe("disk session store", () => {
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});

describe("disk session store, beyond the port", () => {
  let path: string;
  const stores: SessionStore[] = [];
  const open = async (): Promise<SessionStore> => {
    const store = await openDiskSessionStore({ path, limits: { storePieceBytes: 4_096 } });
    stores.push(store);
    return store;
  };
  beforeEach(() => {
    path = folder();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    rmSync(path, { recursive: true });
  });

  test("a folder that is a directory's, or no folder, is E_DISK", async () => {
    const raw = openRaw<string, string>({ path, encoding: "string", noSubdir: false, maxDbs: 8 });
    await raw.put("format", "sojourn-directory 1");
    await raw.close();
    await expect(open()).rejects.toMatchObject({ code: "E_DISK" });
    writeFileSync(join(path, "file"), "");
    await expect(openDiskSessionStore({ path: join(path, "file", "sub") })).rejects.toMatchObject({ code: "E_DISK" });
  });

  test("a store that another process is just making is waited for, and an empty file that stays one is E_DISK", async () => {
    const made = await open();
    await made.close();
    for (const there of ["lock.mdb", "data.mdb"]) {
      const shared = folder();
      try {
        writeFileSync(join(shared, there), "");
        const opening = openDiskSessionStore({ path: shared });
        copyFileSync(join(path, "data.mdb"), join(shared, "data.mdb"));
        await (await opening).close();
      } finally {
        rmSync(shared, { recursive: true });
      }
    }
    const left = folder();
    try {
      writeFileSync(join(left, "data.mdb"), "");
      await expect(openDiskSessionStore({ path: left })).rejects.toMatchObject({ code: "E_DISK" });
    } finally {
      rmSync(left, { recursive: true });
    }
  });

  test("keys of the greatest length and numbers up to 2^53 come back", async () => {
    const store = await open();
    const session = `${"k".repeat(64)}/${"😀".repeat(128)}`;
    const history = new History({ epoch: 2 ** 53 - 3, version: 2 ** 53 - 10, hash: 1 });
    await store.putBase(session, history.base());
    history.turns(1);
    await store.putBase(session, history.base());
    await store.append([{ session, record: history.turns(2) }]);
    expect((await store.read(session))?.end).toEqual(history.at);
    expect(await store.list({ prefix: "k".repeat(64), limit: 10 })).toEqual({ sessions: [session], next: null });
  });

  test("what a broken upload left is thrown away at the next opening, and a large base that is replaced leaves nothing", async () => {
    const large = new Uint8Array(200_000).fill(3);
    const store = await open();
    const history = new History();
    for (let i = 0; i < 3; i++) await store.putBase("room/a", history.base(large));
    const pieces = async (): Promise<number> => {
      const raw = openRaw({ path, noSubdir: false, maxDbs: 8 });
      const count = raw.openDB({ name: "pieces", encoding: "binary" }).getCount();
      await raw.close();
      return count;
    };
    const once = await pieces();
    expect(once).toBeGreaterThan(40);
    history.turns(1);
    async function* breaks() {
      yield large;
      await open();
      yield large;
    }
    await expect(store.putBase("room/a", { ...history.base(), chunks: breaks() })).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    await open();
    expect(await pieces()).toBe(once);
    expect((await store.read("room/a"))?.base.bytes.length).toBe(large.length);
    await store.remove("room/a", 1);
    expect(await pieces()).toBe(0);
  });

  test("a damaged head is made up from what it stood for", async () => {
    const store = await open();
    const history = new History({ epoch: 3, version: 0, hash: 0 });
    await store.putBase("room/a", history.base());
    await store.append([{ session: "room/a", record: history.turns(2) }]);
    await store.close();
    const raw = openRaw<Uint8Array, string>({ path, noSubdir: false, maxDbs: 8 });
    const heads = raw.openDB<Uint8Array, string>({ name: "heads", encoding: "binary", useVersions: true });
    const { value, version = 0 } = heads.getEntry("room/a") ?? { value: new Uint8Array() };
    await heads.put("room/a", Uint8Array.from(value).fill(9, 3), version);
    await raw.close();
    const again = await open();
    expect(await again.putBase("room/a", new History({ epoch: 2, version: 9, hash: 0 }).base())).toEqual({ outcome: "stale", epoch: 3 });
    expect(await again.append([{ session: "room/a", record: history.turns(1) }])).toEqual([{ outcome: "appended" }]);
    expect(await again.read("room/a")).toMatchObject({ end: history.at, fence: 3, damage: null });
  });
});
