import { describe, expect, it } from "vitest";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { BaseAssembly } from "./base-assembly.js";

const crc32 = (data: Uint8Array, seed = 0) => data.reduce((sum, byte, i) => (Math.imul(sum, 31) + byte + i) >>> 0, seed);
const WHOLE = Uint8Array.from({ length: 10 }, (_, i) => i + 1);

function chunk(offset: number, size: number, more: Partial<PeerMessageOf<"base">> = {}): PeerMessageOf<"base"> {
  return {
    t: "base",
    session: "counter/one",
    epoch: 3,
    version: 8,
    hash: 99,
    stateVersion: 1,
    totalBytes: WHOLE.length,
    crc: crc32(WHOLE),
    offset,
    chunk: WHOLE.subarray(offset, offset + size),
    table: null,
    copy: 0,
    pieces: 0,
    ...more,
  };
}

describe("base assembly", () => {
  it("puts chunks together and gives the whole with the last one", () => {
    const assembly = new BaseAssembly(chunk(0, 4), 100);
    expect(assembly.add(chunk(0, 4), crc32)).toBeNull();
    expect(assembly.add(chunk(4, 4), crc32)).toBeNull();
    expect(assembly.add(chunk(8, 2), crc32)).toEqual(WHOLE);
  });

  it("takes chunks that come again, whole or overlapping", () => {
    const assembly = new BaseAssembly(chunk(0, 4), 100);
    assembly.add(chunk(0, 4), crc32);
    expect(assembly.add(chunk(0, 4), crc32)).toBeNull();
    expect(assembly.add(chunk(2, 6), crc32)).toBeNull();
    expect(assembly.add(chunk(0, 2), crc32)).toBeNull();
    expect(assembly.add(chunk(6, 4), crc32)).toEqual(WHOLE);
  });

  it("refuses a gap, an overrun, a size above the bound, and damage", () => {
    expect(() => new BaseAssembly(chunk(0, 4), 9)).toThrow(expect.objectContaining({ code: "E_FRAME_TOO_LARGE" }));
    const gap = new BaseAssembly(chunk(0, 4), 100);
    gap.add(chunk(0, 4), crc32);
    expect(() => gap.add(chunk(5, 2), crc32)).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
    const overrun = new BaseAssembly(chunk(0, 4), 100);
    overrun.add(chunk(0, 8), crc32);
    expect(() => overrun.add(chunk(8, 0, { chunk: new Uint8Array(3) }), crc32)).toThrow(
      expect.objectContaining({ code: "E_FRAME_MALFORMED" }),
    );
    const damaged = new BaseAssembly(chunk(0, 4), 100);
    damaged.add(chunk(0, 9), crc32);
    expect(() => damaged.add(chunk(9, 1, { chunk: Uint8Array.of(99) }), crc32)).toThrow(
      expect.objectContaining({ code: "E_FRAME_CHECKSUM" }),
    );
  });

  it("an empty snapshot is complete with its empty chunk", () => {
    const nothing = chunk(0, 0, { totalBytes: 0, crc: crc32(new Uint8Array()) });
    expect(new BaseAssembly(nothing, 100).add(nothing, crc32)).toEqual(new Uint8Array());
  });

  it.each(["epoch", "version", "hash", "crc", "totalBytes"] as const)("a chunk of another %s belongs to another snapshot", (field) => {
    const assembly = new BaseAssembly(chunk(0, 4), 100);
    expect(assembly.matches(chunk(4, 4))).toBe(true);
    expect(assembly.matches({ ...chunk(4, 4), [field]: 12_345 })).toBe(false);
  });
});
