import { errorCodeOf } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { decodeHello, decodeNumber, decodeRefusal, encodeHello, encodeNumber, encodeRefusal, KIND, wholeFrame } from "./channel-frames.js";

const HELLO = { lane: "bulk", stamp: 7, pairStamp: 300, from: "a#1", to: "b#2" } as const;
// "SJRN", version 1, lane 1, stamp 7, pair stamp 300, "a#1", "b#2"
const BYTES = [0x53, 0x4a, 0x52, 0x4e, 1, 1, 7, 0xac, 0x02, 3, 0x61, 0x23, 0x31, 3, 0x62, 0x23, 0x32];

const codeOf = (bytes: readonly number[]): string | null => {
  try {
    decodeHello(Uint8Array.from(bytes));
    return null;
  } catch (error) {
    return errorCodeOf(error);
  }
};

describe("channel frames", () => {
  it("writes and reads a hello by its literal bytes", () => {
    expect([...encodeHello(HELLO)]).toEqual(BYTES);
    expect(decodeHello(Uint8Array.from(BYTES))).toEqual(HELLO);
  });

  it("refuses every cut, strange and foreign hello", () => {
    for (let i = 0; i < BYTES.length; i++) expect(codeOf(BYTES.slice(0, i))).toBe("E_FRAME_MALFORMED");
    expect(codeOf([...BYTES, 0])).toBe("E_FRAME_MALFORMED");
    expect(codeOf([0x54, ...BYTES.slice(1)])).toBe("E_FRAME_MALFORMED");
    expect(codeOf([...BYTES.slice(0, 5), 2, ...BYTES.slice(6)])).toBe("E_FRAME_MALFORMED");
    // Whatever follows belongs to the other version.
    expect(codeOf([...BYTES.slice(0, 4), 2, 99])).toBe("E_PROTOCOL_VERSION");
  });

  it("frames a payload with its length and kind", () => {
    expect([...wholeFrame(KIND.ping, Uint8Array.of(9))]).toEqual([2, 0, 0, 0, 5, 9]);
    expect([...wholeFrame(KIND.message, new Uint8Array(0x01_02_03))].slice(0, 5)).toEqual([4, 2, 1, 0, 4]);
  });

  it("carries numbers and refusals", () => {
    expect(decodeNumber(encodeNumber(2 ** 40))).toBe(2 ** 40);
    expect(() => decodeNumber(Uint8Array.of(1, 1))).toThrow();
    expect([...encodeRefusal({ code: "E", message: "no" })]).toEqual([1, 0x45, 2, 0x6e, 0x6f]);
    expect(decodeRefusal(encodeRefusal({ code: "E_X", message: "x".repeat(900) })).message).toHaveLength(200);
  });
});
