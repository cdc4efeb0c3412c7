import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { DirectoryChange, DirectoryStore, NodeInfo, SessionRecord } from "@sojourn/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDiskDirectoryStore } from "./directory-store.js";

const info: NodeInfo = {
  id: "a",
  place: { lat: 1.5 },
  clientEndpoint: "ws://a",
  controlEndpoint: "a:1",
  kinds: { room: 1 },
  cordoned: false,
};

function record(i: number, revision = 1): Extract<DirectoryChange, { type: "record" }> {
  const value: SessionRecord = {
    revision,
    epoch: 1,
    owner: "a#1",
    inSync: ["b#1"],
    heir: null,
    ended: false,
    strategy: "replica",
    stored: false,
    writer: `a#1/${i}`,
  };
  return { type: "record", key: `room/${i}`, record: value, previous: null };
}

describe("disk directory store", () => {
  let path: string;
  let store: DirectoryStore | undefined;
  const open = (): DirectoryStore => {
    store = openDiskDirectoryStore({ path, crc32: (bytes, seed = 0) => crc32(bytes, seed) });
    return store;
  };
  const file = () => join(path, "data.mdb");

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "sojourn-store-"));
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    rmSync(path, { recursive: true });
  });

  /** A file with enough entries for a tree of several levels. */
  async function fill(): Promise<void> {
    const filled = open();
    const changes: DirectoryChange[] = Array.from({ length: 2_000 }, (_, i) => record(i));
    changes.push({ type: "node", lease: { ref: "a#3", info, ttlMs: 500, ended: false } });
    await filled.append(changes);
    await filled.close();
    store = undefined;
  }

  const load = async (): Promise<number> => {
    const { records } = await open().load();
    return [...records].length;
  };

  test("gives back the latest of what was appended, after opening again too", async () => {
    const first = open();
    expect(await first.load()).toEqual({ records: [], nodes: [] });
    await first.append([record(1), record(2), record(1, 2)]);
    await first.append([
      { type: "node", lease: { ref: "a#1", info, ttlMs: 500, ended: true } },
      { type: "node", lease: { ref: "a#2", info, ttlMs: 700, ended: false } },
      record(2, 2),
    ]);
    await first.close();
    expect(await open().load()).toEqual({
      records: [
        ["room/1", record(1, 2).record],
        ["room/2", record(2, 2).record],
      ],
      nodes: [{ ref: "a#2", info, ttlMs: 700, ended: false }],
    });
  });

  test.each([0.3, 0.6, 0.95])("a file cut to %f of its length is E_DISK, not a crash of the process", async (share) => {
    await fill();
    const { length } = readFileSync(file());
    truncateSync(file(), Math.floor(length * share));
    await expect(load()).rejects.toMatchObject({ code: "E_DISK" });
  });

  test.each([
    ["emptied", (bytes: Buffer) => bytes.subarray(0, 0)],
    ["cut inside its head", (bytes: Buffer) => bytes.subarray(0, 5)],
    ["somebody else's", (bytes: Buffer) => Buffer.from("hello ".repeat(bytes.length / 6))],
  ])("a file that was %s is E_DISK, not a new directory", async (_what, damage) => {
    await fill();
    writeFileSync(file(), damage(readFileSync(file())));
    await expect(load()).rejects.toMatchObject({ code: "E_DISK" });
  });

  test("a file that is gone beside its lock is E_DISK", async () => {
    await fill();
    rmSync(file());
    await expect(load()).rejects.toMatchObject({ code: "E_DISK" });
  });

  test("pages of entries that became zeros are E_DISK", async () => {
    await fill();
    const bytes = readFileSync(file());
    // The keys of one page lie side by side; old pages may hold copies.
    for (let at = bytes.indexOf("room/1000"); at >= 0; at = bytes.indexOf("room/1000", at + 4_096)) {
      const page = at - (at % 4_096);
      bytes.fill(0, page, page + 4_096);
    }
    writeFileSync(file(), bytes);
    await expect(load()).rejects.toMatchObject({ code: "E_DISK" });
  });

  test("a flipped bit in a value is E_DISK with the key", async () => {
    await fill();
    const bytes = readFileSync(file());
    // Flip it wherever the value stands: old pages may hold copies.
    for (let at = bytes.indexOf("a#1/1234"); at >= 0; at = bytes.indexOf("a#1/1234", at + 1)) bytes[at + 7] = 0x35;
    writeFileSync(file(), bytes);
    await expect(load()).rejects.toMatchObject({ code: "E_DISK", details: { key: "room/1234" } });
  });

  test("appending to a closed store is E_DISK", async () => {
    const closed = open();
    await closed.close();
    store = undefined;
    await expect(closed.append([record(1)])).rejects.toMatchObject({ code: "E_DISK" });
  });

  test("a folder that cannot be is E_DISK", () => {
    writeFileSync(join(path, "file"), "");
    expect(() => openDiskDirectoryStore({ path: join(path, "file", "sub"), crc32: (bytes, seed = 0) => crc32(bytes, seed) })).toThrow(
      expect.objectContaining({ code: "E_DISK" }),
    );
  });
});
