import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { LogRecord } from "../ports/session-store.js";
import { LogRecords } from "./log-record.js";

const records = new LogRecords((bytes, seed = 0) => crc32(bytes, seed), 1_024);
const record: LogRecord = {
  epoch: 3,
  fromVersion: 300,
  fromHash: 7,
  version: 302,
  hash: 0x01020304,
  deltas: [new Uint8Array([1, 2]), new Uint8Array([])],
  table: new Uint8Array([9]),
};

describe("LogRecords", () => {
  it("keeps the exact bytes", () => {
    const encoded = records.encode("room/a", record);
    expect([...encoded.subarray(5)]).toEqual([3, 0xac, 2, 7, 0, 0, 0, 0xae, 2, 4, 3, 2, 1, 2, 2, 1, 2, 0, 1, 1, 9]);
    expect(encoded[0]).toBe(1);
    expect(records.decode("room/a", encoded)).toEqual(record);
  });

  it("gives nothing for every cut, every flipped bit, and another session", () => {
    const encoded = records.encode("room/a", record);
    for (let end = 0; end < encoded.length; end++) expect(records.decode("room/a", encoded.slice(0, end))).toBeNull();
    for (let bit = 0; bit < encoded.length * 8; bit++) {
      const bad = encoded.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(records.decode("room/a", bad)).toBeNull();
    }
    expect(records.decode("room/b", encoded)).toBeNull();
    expect(records.decode("room/a", new Uint8Array([...encoded, 0]))).toBeNull();
  });

  it("refuses what is too large and numbers that contradict each other, and goes on", () => {
    const large = { ...record, deltas: [new Uint8Array(2_000), new Uint8Array()] };
    expect(() => records.encode("room/a", large)).toThrow(expect.objectContaining({ code: "E_STORE_TOO_LARGE" }));
    expect(() => records.encode("room/a", { ...record, version: 303 })).toThrow(expect.objectContaining({ code: "E_INTERNAL" }));
    expect(() => records.encode("room/a", { ...record, version: 300, deltas: [] })).toThrow(
      expect.objectContaining({ code: "E_INTERNAL" }),
    );
    expect(records.prepare({ session: "nokey", record })).toMatchObject({ outcome: "failed", error: { code: "E_SESSION_KEY_INVALID" } });
    expect(records.prepare({ session: "room/a", record })).toEqual(records.encode("room/a", record));
  });
});
