import fc from "fast-check";
import { expect, it } from "vitest";

/** Any string at all, also keys that break naive codecs and code units that are no Unicode. */
const anyString = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 90 }).map((units) => String.fromCharCode(...units)) },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "__keys__", "toString", "length", "map", "", "0", "17", "-1", "id") },
);

const elements = fc.uint8Array({ maxLength: 40 });
const typedArray = fc.oneof(
  elements,
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

/** Any value that may stand in a session's state. */
export const travellable: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(
    anyString,
    fc.integer(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    typedArray,
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true, maxDepth: 5 },
    { weight: 3, arbitrary: tie("leaf") },
    { weight: 2, arbitrary: tie("object") },
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 6 }).map((members) => new Set(members)),
  ),
  object: fc.array(fc.tuple(anyString, tie("value")), { maxLength: 6 }).map((entries) => {
    const object = {};
    for (const [key, value] of entries) {
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return object;
  }),
})).value;

/** Null when both are the same plain data to the last bit, order included; else where and how they differ. */
export function difference(a: unknown, b: unknown, path = "$"): string | null {
  if (Object.is(a, b)) return null;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `${path}: ${String(a)} is not ${String(b)}`;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another type`;
  if (a instanceof Date) return difference(a.getTime(), (b as Date).getTime(), `${path}.time`);
  if (ArrayBuffer.isView(a)) {
    const bytesOf = (view: ArrayBufferView) => String(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return bytesOf(a) === bytesOf(b as ArrayBufferView) ? null : `${path}: other elements`;
  }
  const isCollection = a instanceof Map || a instanceof Set;
  const left = isCollection ? [...a].flat(a instanceof Map ? 1 : 0) : Object.entries(a).flat();
  const right = isCollection ? [...(b as Set<unknown>)].flat(a instanceof Map ? 1 : 0) : Object.entries(b).flat();
  if (left.length !== right.length) return `${path}: ${left.length} parts are not ${right.length}`;
  // Object.entries flattens one level, so a value that is an array stays whole.
  for (const [i, part] of left.entries()) {
    const found = difference(part, right[i], `${path}/${i}`);
    if (found !== null) return found;
  }
  return null;
}

it.each<[unknown, unknown]>([
  [0, -0],
  [1, 1n],
  [null, undefined],
  [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ],
  [{ a: undefined }, {}],
  [[[1]], [1]],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new Map(), {}],
  [new Set([1, 2]), new Set([2, 1])],
  [new Date(1), new Date(Number.NaN)],
  [new Uint8Array(2), new Uint16Array(1)],
  [new Float32Array([0]), new Float32Array([-0])],
  ["\ud800", "\ufffd"],
])("the comparison of these tests tells %o from %o", (a, b) => {
  expect(difference(a, b)).not.toBe(null);
  expect(difference({ x: [a] }, { x: [b] })).not.toBe(null);
  expect(difference(structuredClone(a), a)).toBe(null);
});
