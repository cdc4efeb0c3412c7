import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { decodePayload, encodePayload } from "../wire/payload.js";
import { createRecordCodec } from "./record-codec.js";
import { difference, travellable } from "./travellable.fixture.test.js";

const codec = () => createRecordCodec({ lineage: "here", maxSharedShapes: 256, maxCodecLineages: 8, maxDepth: 100 });

/** Every way a value goes through bytes: a fresh codec, one whose table has grown by it, and a client message. */
function trips(value: unknown): unknown[] {
  const state = codec();
  const first = state.decode(state.encode(value));
  for (let i = 0; i < 10; i++) state.encode(value);
  return [first, state.decode(state.encode(value)), decodePayload(encodePayload(value))];
}

function expectTravels(value: unknown): void {
  for (const copy of trips(value)) expect(difference(copy, value)).toBe(null);
}

function own(entries: [string, unknown][]): object {
  const object = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

describe("what travels", () => {
  it("any travellable value comes back the same", () => {
    fc.assert(fc.property(travellable, expectTravels), { numRuns: 1_000 });
  });

  it.each([
    ["zeros", [0, -0]],
    ["numbers that are no numbers", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    [
      "integers at every border",
      [31, 32, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 53 + 2],
    ],
    ["negative integers at every border", [-1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)]],
    ["fractions", [0.1, 0.5, 1.5, 1e-320, 5e-324, 1e308, Math.fround(0.1), 16777217.5]],
    ["undefined and absence", { there: undefined, nothing: null, list: [undefined, null] }],
    ["empty containers", [{}, [], new Map(), new Set(), "", new Uint8Array(0), new Float64Array(0)]],
    ["bigints", [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n, 2n ** 5000n, -(2n ** 777n) + 1n]],
    ["dates", [new Date(0), new Date(-1), new Date(1.7e12 + 123), new Date(8.64e15), new Date(-8.64e15), new Date(Number.NaN)]],
    [
      "strings",
      ["\u0000", "ä€😀", "\ufeffbom", "x".repeat(31), "x".repeat(32), "ä".repeat(16), "€".repeat(11), "é".repeat(200), "😀".repeat(33_000)],
    ],
    ["strings that are not Unicode", ["\ud800", "a\udc00b", `${"x".repeat(100)}\ud83d`, "\udc00\ud800", "\udc00\udc00"]],
    [
      "keys of every kind",
      own([
        ["10", 1],
        ["2", 2],
        ["b", 3],
        ["", 4],
        ["__proto__", { x: 1 }],
        ["constructor", 5],
        ["toString", 6],
      ]),
    ],
    [
      "keys that break libraries",
      [
        own([
          ["a", 1],
          ["__keys__", 2],
          ["map", 3],
          ["length", 4],
        ]),
        own([
          ["hasOwnProperty", 1],
          ["valueOf", null],
        ]),
      ],
    ],
    ["a key that is not Unicode", { "\ud800": 1 }],
    [
      "maps with keys of every type",
      new Map<unknown, unknown>([
        [1, "a"],
        ["1", "b"],
        [null, 1],
        [Number.NaN, 2],
        [{ x: 1 }, 3],
        [1n, 4],
      ]),
    ],
    ["nested maps and sets", new Map([["a", new Map([["b", new Set([new Map([[1, [2]]])])]])]])],
    ["a long array", Array.from({ length: 70_000 }, (_, i) => i)],
    ["a big object", Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
    ["a big map", new Map(Array.from({ length: 70_000 }, (_, i) => [i, i]))],
  ])("%s", (_name, value) => expectTravels(value));

  it("typed arrays of every type, from unaligned views and subarrays", () => {
    const buffer = new Uint8Array(64).map((_, i) => i * 37).buffer;
    expectTravels([
      new Int8Array(buffer, 1, 5),
      new Uint8Array(buffer, 3, 7),
      new Uint8ClampedArray(buffer, 5, 3),
      new Int16Array(buffer, 2, 3),
      new Uint16Array(buffer, 6, 1),
      new Int32Array(buffer, 4, 2),
      new Uint32Array(buffer, 12, 4),
      new Float32Array([1.5, -0, Number.NaN]),
      new Float64Array([0.1, -0]),
      new BigInt64Array(buffer, 8, 2),
      new BigUint64Array(buffer, 16, 1),
      new Uint8Array(70_000).fill(7),
    ]);
  });

  it("shares no memory with the bytes it was read from", () => {
    const bytes = encodePayload(new Uint8Array([1, 2, 3]));
    const copy = decodePayload(bytes) as Uint8Array;
    bytes.fill(0);
    expect([...copy]).toEqual([1, 2, 3]);
    expect(copy.buffer.byteLength).toBe(3);
  });

  it("does not call toJSON and leaves built-in prototypes alone", () => {
    const before = Object.getOwnPropertyNames(Array.prototype).length + Object.getOwnPropertySymbols(Array.prototype.map).length;
    expectTravels({ toJSON: 1, a: new Date(5) });
    expectTravels(own([["__proto__", own([["polluted", true]])]]));
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
    expect(Object.getOwnPropertyNames(Array.prototype).length + Object.getOwnPropertySymbols(Array.prototype.map).length).toBe(before);
  });
});

class Player {
  name = "p";
}
class Crowd extends Map<string, number> {}
class List extends Array<number> {}

describe("what is refused", () => {
  const sparse = [1, 2, 3];
  delete sparse[1];
  it.each<[string, unknown, string]>([
    ["a function", { a: [1, { f: () => 1 }] }, "a[1].f"],
    ["a toJSON function", { a: { toJSON: () => 1 } }, "a.toJSON"],
    ["a symbol", [Symbol("s")], "[0]"],
    ["an instance of a class", { p: new Player() }, "p"],
    ["an instance of a subclass of Map", { crowd: new Crowd() }, "crowd"],
    ["an instance of a subclass of Array", { list: new List() }, "list"],
    ["an object without prototype", { a: Object.create(null) }, "a"],
    ["a sparse array", { a: { b: sparse } }, "a.b"],
    ["a regular expression", [/x/], "[0]"],
    ["an error", [[new Error("x")]], "[0][0]"],
    ["an ArrayBuffer", { raw: new ArrayBuffer(2) }, "raw"],
    ["a DataView", { raw: new DataView(new ArrayBuffer(2)) }, "raw"],
    ["a Buffer", { raw: Buffer.from("x") }, "raw"],
    ["a boxed string", { s: Object("x") }, "s"],
    ["a promise inside a map", new Map([["a", Promise.resolve()]]), "<entry 0>"],
    ["a weak map inside a set", new Set([1, new WeakMap()]), "<member 1>"],
    ["a function at the top", () => 1, ""],
    ["what only pretends to be a date", [Object.create(Date.prototype)], ""],
  ])("%s", (_name, value, path) => {
    for (const encode of [codec().encode.bind(codec()), encodePayload]) {
      let thrown: unknown;
      try {
        encode(value);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(SojournError);
      expect(thrown).toMatchObject({ code: "E_UNTRAVELLABLE", details: { path } });
    }
  });

  it("a codec goes on after a refusal", () => {
    const state = codec();
    expect(() => state.encode([1, () => 1])).toThrow(SojournError);
    expect(state.decode(state.encode([1, 2]))).toEqual([1, 2]);
  });

  it("nesting beyond the bound and cycles, at exactly the bound", () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [[{ a: 1 }], new Map([[1, 2]]), nest(levels - 1)]);
    const bounded = createRecordCodec({ lineage: "x", maxSharedShapes: 4, maxCodecLineages: 1, maxDepth: 10 });
    expect(difference(bounded.decode(bounded.encode(nest(8))), nest(8))).toBe(null);
    expect(() => bounded.encode(nest(9))).toThrow(expect.objectContaining({ code: "E_STATE_TOO_DEEP" }));
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => bounded.encode(cycle)).toThrow(expect.objectContaining({ code: "E_STATE_TOO_DEEP" }));
    expect(() => encodePayload(cycle)).toThrow(expect.objectContaining({ code: "E_STATE_TOO_DEEP" }));
  });
});
