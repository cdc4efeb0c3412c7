import { describe, expect, it } from "vitest";
import { errorCodeOf } from "../errors/sojourn-error.js";
import { applyPatch } from "./apply-patch.js";
import { difference } from "./model.test-support.js";
import { OP, type Patch } from "./patch.js";

const make = () => ({
  o: { a: 1, b: 2 },
  l: [{ x: 1 }, 2, 3],
  m: new Map<unknown, unknown>([
    ["k", 1],
    ["j", 2],
  ]),
  s: new Set([1, 2]),
  b: new Uint8Array(3),
  d: new Date(1),
});

/** Good operations before the bad one: they have to be taken back. */
const GOOD = [
  [["o"], OP.delete, "a", OP.set, "z", 1, OP.set, "b", 9],
  [["l"], OP.splice, 1, 1, [7, 8], OP.set, 0, 5],
  [["m"], OP.delete, "k", OP.set, "n", 1],
  [["s"], OP.delete, 1, OP.add, 9],
  [["b"], OP.bytes, 1, new Uint8Array([5])],
  [["d"], OP.time, 77],
];

describe("applyPatch", () => {
  const bad: [string, unknown][] = [
    ["not a list", 5],
    ["a group without operations", [[[]]]],
    ["a path that is no list", [["o", OP.set, "a", 1]]],
    ["a path to nowhere", [[["nope"], OP.set, "a", 1]]],
    ["a path through a primitive", [[["o", "a", "b"], OP.set, "a", 1]]],
    ["a path into a prototype", [[["o", "__proto__"], OP.set, "polluted", 1]]],
    ["a path through a constructor", [[["constructor", "prototype"], OP.set, "polluted", 1]]],
    ["__proto__ as a key", [[["o"], OP.set, "__proto__", {}]]],
    ["a missing argument", [[["o"], OP.set, "a"]]],
    ["an unknown operation", [[["o"], 99, 1]]],
    ["an operation of another kind", [[["o"], OP.splice, 0, 0, []]]],
    ["an index out of range", [[["l"], OP.set, 50, 1]]],
    ["a negative index", [[["l"], OP.splice, -1, 0, []]]],
    ["a count out of range", [[["l"], OP.splice, 0, 50, []]]],
    ["items that are no list", [[["l"], OP.splice, 0, 0, "abc"]]],
    ["a source out of range", [[["l"], OP.arrange, 0, 2, [2], []]]],
    ["an item left over", [[["l"], OP.arrange, 0, 2, [0], [1]]]],
    ["a missing deletion", [[["m"], OP.delete, "nope"]]],
    ["an object as a key", [[["m"], OP.set, {}, 1]]],
    ["a doubled member", [[["s"], OP.add, 2]]],
    ["elements of another type", [[["b"], OP.bytes, 0, new Uint16Array(1)]]],
    ["elements beyond the end", [[["b"], OP.bytes, 2, new Uint8Array(2)]]],
    ["a time that is no number", [[["d"], OP.time, "x"]]],
  ];
  it.each(bad)("refuses %s and leaves the tree as it was", (_name, patch) => {
    for (const before of [[], GOOD]) {
      const tree = make();
      let code = "none";
      try {
        applyPatch(tree, (Array.isArray(patch) ? [...before, ...patch] : patch) as Patch);
      } catch (thrown) {
        code = errorCodeOf(thrown);
      }
      expect(code).toBe("E_CODEC_CORRUPT");
      expect(difference(tree, make())).toBeNull();
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }
  });

  it("refuses a container that would stand twice", () => {
    expect(() => applyPatch(make(), [[["l"], OP.arrange, 0, 2, [0, 0], []]])).toThrow(/two places/);
  });

  it("sets own properties that have names of Object.prototype", () => {
    const tree: Record<string, unknown> = {};
    applyPatch(tree, [[[], OP.set, "constructor", 1, OP.set, "hasOwnProperty", 2]]);
    expect(Object.entries(tree)).toEqual([
      ["constructor", 1],
      ["hasOwnProperty", 2],
    ]);
  });
});
