import { Decoder, Encoder } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePayload, encodePayload, MAX_PAYLOAD_DEPTH } from "./payload.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** The client protocol. A change here needs a new protocol version, not a new expectation. */
describe("golden bytes of client payloads", () => {
  it.each<[string, unknown, string]>([
    ["null", null, "c0"],
    ["undefined", undefined, "d4 00 00"],
    ["booleans", [true, false], "92 c3 c2"],
    ["small integers", [0, 127, 128, 255, 256, 65536, 4294967295], "97 00 7f cc80 ccff cd0100 ce00010000 ceffffffff"],
    ["negative integers", [-1, -32, -33, -128, -129, -32769], "96 ff e0 d0df d080 d1ff7f d2ffff7fff"],
    ["minus zero and a half, in a float", [-0, 0.5], "92 ca80000000 ca3f000000"],
    ["a tenth and 2^53, in a double", [0.1, 2 ** 53 - 1], "92 cb3fb999999999999a cb433fffffffffffff"],
    ["NaN", Number.NaN, "cb7ff8000000000000"],
    ["strings", ["", "é€😀"], "92 a0 a9 c3a9 e282ac f09f9880"],
    ["a string of 32 bytes", "x".repeat(32), `d920${"78".repeat(32)}`],
    ["a lone surrogate", "a\ud800", "d6 06 6100 00d8".replace("d6", "c704")],
    ["an object", { a: 1, "": {} }, "82 a161 01 a0 80"],
    ["an array of 16", Array.from({ length: 16 }, () => 1), `dc0010${"01".repeat(16)}`],
    ["a Map", new Map([["k", 1]]), "c9 00000004 01 92 a16b 01"],
    ["a Set", new Set([1, 2]), "c9 00000003 02 92 01 02"],
    ["a date", new Date(1_700_000_000_123), "d7 03 4278bcfe5687b000"],
    ["a bigint", -2n, "d7 04 fffffffffffffffe"],
    ["a large bigint", -(2n ** 64n), "c70a 05 01 010000000000000000"],
    ["a Uint8Array", new Uint8Array([1, 255]), "c402 01ff"],
    ["a Uint16Array", new Uint16Array([1, 258]), "c704 14 0100 0201"],
  ])("%s", (_name, value, expected) => {
    expect(hex(encodePayload(value))).toBe(expected.replaceAll(" ", ""));
    expect(decodePayload(bytes(expected))).toEqual(value);
  });

  it("reads what other MessagePack libraries write for the same values", () => {
    expect(decodePayload(bytes("cf 001fffffffffffff"))).toBe(2 ** 53 - 1);
    expect(decodePayload(bytes("d3 ffffffff00000000"))).toBe(-(2 ** 32));
    expect(decodePayload(bytes("cf ffffffffffffffff"))).toBe(2n ** 64n - 1n);
    expect(decodePayload(bytes("d5 14 0100"))).toEqual(new Uint16Array([1]));
    expect(decodePayload(bytes("d6 11 00000000"))).toEqual(new Uint8Array(4));
    expect(decodePayload(bytes(`d8 10 ${"ff".repeat(16)}`))).toEqual(new Int8Array(16).fill(-1));
  });
});

describe("payloads", () => {
  it("are MessagePack: an independent library reads and writes the same JSON values", () => {
    const other = { encoder: new Encoder({ maxDepth: 500 }), decoder: new Decoder() };
    const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
    fc.assert(
      fc.property(json, (value) => {
        expect(other.decoder.decode(encodePayload(value))).toEqual(value);
        expect(decodePayload(other.encoder.encode(value))).toEqual(normalised(value));
      }),
      { numRuns: 500 },
    );
  });

  it("may be nested up to the bound, on both sides alike", () => {
    const nest = (levels: number): unknown => (levels === 0 ? 0 : [nest(levels - 1)]);
    expect(decodePayload(encodePayload(nest(MAX_PAYLOAD_DEPTH)))).toEqual(nest(MAX_PAYLOAD_DEPTH));
    expect(() => encodePayload(nest(MAX_PAYLOAD_DEPTH + 1))).toThrow(expect.objectContaining({ code: "E_STATE_TOO_DEEP" }));
    const tooDeep = new Uint8Array(MAX_PAYLOAD_DEPTH + 2).fill(0x91, 0, -1);
    expect(() => decodePayload(tooDeep)).toThrow(expect.objectContaining({ code: "E_STATE_TOO_DEEP" }));
  });

  it("are the caller's to keep", () => {
    const first = encodePayload("first");
    encodePayload("later");
    expect(decodePayload(first)).toBe("first");
    expect(first.buffer.byteLength).toBe(first.length);
  });
});

/** The other library writes -0 as 0. */
function normalised(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
