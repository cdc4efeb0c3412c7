import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { decodePayload, encodePayload, MAX_PAYLOAD_DEPTH } from "../wire/payload.js";
import { createRecordCodec } from "./record-codec.js";
import { travellable } from "./travellable.fixture.test.js";

const ALLOWED = new Set(["E_CODEC_CORRUPT", "E_CODEC_TABLE_UNKNOWN", "E_STATE_TOO_DEEP"]);
const state = createRecordCodec({ lineage: "here", maxSharedShapes: 64, maxCodecLineages: 4, maxDepth: 50 });
const shaped = Array.from({ length: 10 }, (_, i) => ({ id: i, kind: 1, name: "n" }));
state.encode(shaped);

/** Runs every reader on the bytes: a value or a coded error, and no object with a foreign prototype. */
function feed(bytes: Uint8Array): void {
  for (const read of [decodePayload, (b: Uint8Array) => state.decode(b), (b: Uint8Array) => state.importTable(b)]) {
    try {
      expectOwnPrototypes(read(bytes));
    } catch (thrown) {
      if (!(thrown instanceof SojournError) || !ALLOWED.has(thrown.code)) throw thrown;
    }
  }
  for (const read of [() => state.tableOf(bytes), () => state.missingTable(bytes)]) {
    try {
      read();
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "E_CODEC_CORRUPT" });
    }
  }
}

const BUILT_IN = new Set<unknown>(
  [Object, Array, Map, Set, Date, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array]
    .map((type): unknown => type.prototype)
    .concat([Float64Array.prototype, BigInt64Array.prototype, BigUint64Array.prototype]),
);

function expectOwnPrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (!BUILT_IN.has(Object.getPrototypeOf(value))) throw new Error("a decoded object has a foreign prototype");
  if (ArrayBuffer.isView(value) || value instanceof Date) return;
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  for (const part of parts) expectOwnPrototypes(part);
}

describe("damaged and forged bytes", () => {
  it("random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), feed), { numRuns: 5_000 });
  });

  it("random bytes behind a valid header", () => {
    const header = state.encode(shaped).slice(0, 8);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(Uint8Array.of(1), header, Uint8Array.of(3, 1, 0x78)), (tail, head) =>
        feed(Uint8Array.of(...head, ...tail)),
      ),
      { numRuns: 5_000 },
    );
  });

  it("flipped bits and changed bytes of valid encodings", () => {
    fc.assert(
      fc.property(travellable, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (value, changes) => {
        for (const bytes of [state.encode([shaped, value]), state.encode(value), encodePayload(value)]) {
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          feed(bytes);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("a valid encoding cut at any place, or with a byte too many, is refused", () => {
    const value = [
      new Map([["k", new Set([1, "é", 2n ** 70n])]]),
      new Date(7),
      new Float64Array(2),
      { a: "x".repeat(40), b: -1.5 },
      undefined,
    ];
    const encodings: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
      [encodePayload(value), decodePayload],
      [state.encode([shaped, value]), (bytes) => state.decode(bytes)],
    ];
    for (const [bytes, read] of encodings) {
      for (let end = 0; end < bytes.length; end++) {
        expect(() => read(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
      }
      expect(() => read(Uint8Array.of(...bytes, 0))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
    }
  });

  it.each([
    ["string", [0xdb]],
    ["bin", [0xc6]],
    ["ext", [0xc9]],
    ["array", [0xdd]],
    ["object", [0xdf]],
    ["Map", [0xc9, 0, 0, 0, 5, 1, 0xdd]],
    ["Set", [0xc9, 0, 0, 0, 5, 2, 0xdd]],
  ])("a forged length of a %s allocates nothing", (_name, head) => {
    const bytes = Uint8Array.of(...head, 0xff, 0xff, 0xff, 0xfe);
    const before = process.memoryUsage();
    for (let i = 0; i < 100; i++) expect(() => decodePayload(bytes)).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(32 * 1_048_576);
  });

  it("forged lengths nested in each other do not add up", () => {
    const level = Uint8Array.of(0xdd, 0x00, 0x0f, 0xff, 0xff);
    const bytes = new Uint8Array(0x100000).fill(0xc0);
    for (let i = 0; i < MAX_PAYLOAD_DEPTH; i++) bytes.set(level, i * level.length);
    const before = process.memoryUsage();
    expect(() => decodePayload(bytes)).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(128 * 1_048_576);
  });

  it.each([
    ["arrays", [0x91]],
    ["objects", [0x81, 0xa1, 0x61]],
    ["keys", [0x81]],
    ["Maps", [0xc9, 0, 0, 0, 9, 1, 0x92, 0x01]],
    ["Sets", [0xc9, 0, 0, 0, 9, 2, 0x91]],
    ["records", [0xc1, 0]],
  ])("endless nesting of %s is refused", (_name, level) => {
    const tail = Array.from({ length: 100_000 }, () => level).flat();
    expect(() => decodePayload(Uint8Array.from(tail))).toThrow(SojournError);
    feed(Uint8Array.from(tail));
    feed(Uint8Array.of(...state.encode(shaped).slice(0, 8), ...tail.slice(0, 50_000)));
  });

  it("a key __proto__ is a key like others, also in a record and in a table", () => {
    const hostile = Uint8Array.of(0x81, 0xa9, ...Buffer.from("__proto__"), 0x81, 0xa8, ...Buffer.from("polluted"), 0xc3);
    const value = decodePayload(hostile) as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expectOwnPrototypes(value);
    const other = createRecordCodec({ lineage: "other", maxSharedShapes: 8, maxCodecLineages: 1, maxDepth: 9 });
    const list = Array.from({ length: 9 }, () => decodePayload(hostile));
    const bytes = other.encode(list);
    expect(other.tableOf(bytes)).not.toBe(null);
    expectOwnPrototypes(other.decode(bytes));
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
  });

  it.each([
    ["an object with a number for a key", [0x81, 0x01, 0x01]],
    ["text that is not UTF-8", [0xa2, 0xc3, 0x28]],
    ["long text that is not UTF-8", [0xd9, 40, ...Array.from({ length: 40 }, () => 0xff)]],
    ["an odd number of UTF-16 bytes", [0xc7, 3, 6, 0x00, 0xd8, 0x00]],
    ["half an element", [0xc7, 3, 19, 1, 2, 3]],
    ["an unknown extension", [0xd4, 0x63, 0]],
    ["a Map with a key and no value", [0xc9, 0, 0, 0, 2, 1, 0x91, 1]],
    ["a Map of an odd count", [0xc9, 0, 0, 0, 3, 1, 0x91, 1, 2]],
    ["a Set longer than its frame", [0xc9, 0, 0, 0, 1, 2, 0x91, 1]],
    ["a date of one byte", [0xd4, 3, 0]],
    ["a bigint without magnitude", [0xd4, 5, 0]],
    ["a bigint with a third sign", [0xc7, 2, 5, 2, 1]],
    ["a record in a client message", [0xc1, 0]],
    ["nothing at all", []],
  ])("%s is refused", (_name, bytes) => {
    expect(() => decodePayload(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
  });

  it.each([
    ["no list", [0x80]],
    ["a shape that is no list", [0x91, 0x01]],
    ["an empty shape", [0x91, 0x90]],
    ["a key that is no string", [0x91, 0x91, 0x01]],
    ["a key twice", [0x91, 0x92, 0xa1, 0x61, 0xa1, 0x61]],
    ["a shape of 33 keys", [0x91, 0xdc, 0, 33, ...Array.from({ length: 33 }, (_, i) => [0xa1, 0x30 + i]).flat()]],
  ])("a table with %s is refused", (_name, body) => {
    expect(() => state.importTable(Uint8Array.of(3, 1, 0x78, ...body))).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
  });
});
