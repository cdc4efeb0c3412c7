import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { NO_HEAD, type SessionHead } from "./session-head.js";
import { decodeHead, encodeHead } from "./stored-head.js";

const sum = (bytes: Uint8Array, seed = 0): number => crc32(bytes, seed);
const head: SessionHead = { fence: 7, base: { epoch: 6, version: 2 ** 40, hash: 0xfffffff0 }, log: null };

describe("stored heads", () => {
  it("come back, and keep the exact bytes", () => {
    for (const one of [head, NO_HEAD]) expect(decodeHead("room/a", encodeHead("room/a", one, sum), sum)).toEqual(one);
    expect([...encodeHead("room/a", { ...head, base: { epoch: 1, version: 2, hash: 3 } }, sum).subarray(5)]).toEqual([
      7, 1, 1, 2, 3, 0, 0, 0, 0,
    ]);
  });

  it("give nothing for every cut, every flipped bit, and another session", () => {
    const whole = encodeHead("room/a", head, sum);
    for (let end = 0; end < whole.length; end++) expect(decodeHead("room/a", whole.slice(0, end), sum)).toBeNull();
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bad = whole.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeHead("room/a", bad, sum)).toBeNull();
    }
    expect(decodeHead("room/b", whole, sum)).toBeNull();
  });
});
