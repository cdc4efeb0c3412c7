import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StateCodec } from "../ports/codec.js";
import { createRecordCodec } from "./record-codec.js";
import { ShapeTable } from "./shape-table.js";
import { difference, travellable } from "./travellable.fixture.test.js";

const make = (lineage: string, maxSharedShapes = 1_024, maxCodecLineages = 8): StateCodec =>
  createRecordCodec({ lineage, maxSharedShapes, maxCodecLineages, maxDepth: 100 });

const shapeOf = (n: number): object => ({ [`field${n}`]: n, kind: "k", [`also${n}`]: null });
const many = (n: number): object[] => Array.from({ length: 12 }, () => shapeOf(n));

/** Gives `receiver` exactly the exported table that the bytes need, if it needs any. */
function supply(receiver: StateCodec, holder: StateCodec, bytes: Uint8Array): boolean {
  const need = receiver.missingTable(bytes);
  if (need === null) return false;
  expect(() => receiver.decode(bytes)).toThrow(expect.objectContaining({ code: "E_CODEC_TABLE_UNKNOWN" }));
  const table = holder.exportTable(need);
  if (table === null) throw new Error("the holder cannot export");
  receiver.importTable(table);
  expect(receiver.missingTable(bytes)).toBe(null);
  return true;
}

describe("tables", () => {
  it("codecs that exchange tables on demand understand each other while new shapes keep appearing", () => {
    const step = fc.record({
      from: fc.nat(2),
      to: fc.nat(2),
      value: fc.oneof(
        fc.nat(90).map(many),
        fc.array(fc.nat(90).map(shapeOf), { maxLength: 20 }),
        fc.tuple(fc.nat(90).map(many), travellable),
        fc.dictionary(fc.string({ maxLength: 4 }), fc.nat(), { maxKeys: 40, noNullPrototype: true }),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), fc.constantFrom(3, 1_024), (steps, maxShapes) => {
        const codecs = ["a", "b", "c"].map((name) => make(name, maxShapes));
        const kept: { bytes: Uint8Array; value: unknown; by: number }[] = [];
        for (const { from, to, value } of steps) {
          const bytes = (codecs[from] as StateCodec).encode(value);
          kept.push({ bytes, value, by: from });
          supply(codecs[to] as StateCodec, codecs[from] as StateCodec, bytes);
          expect(difference((codecs[to] as StateCodec).decode(bytes), value)).toBe(null);
        }
        // Whatever was written stays readable: at its writer, and at a newcomer who gets the table from a third.
        const newcomer = make("new");
        for (const { bytes, value, by } of kept) {
          expect(difference((codecs[by] as StateCodec).decode(bytes), value)).toBe(null);
          supply(newcomer, codecs[by] as StateCodec, bytes);
          expect(difference(newcomer.decode(bytes), value)).toBe(null);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("a table passes through a third codec, which re-exports what it has learnt", () => {
    const [a, b, c] = [make("a"), make("b"), make("c")];
    const bytes = a.encode(many(1));
    expect(supply(b, a, bytes)).toBe(true);
    expect(supply(c, b, bytes)).toBe(true);
    expect(c.decode(bytes)).toEqual(many(1));
    expect(c.exportTable({ lineage: "a", length: 2 })).toBe(null);
    expect(c.exportTable({ lineage: "nobody", length: 0 })).toBe(null);
  });

  it("asks for no more of a table than the value uses", () => {
    const [a, b] = [make("a"), make("b")];
    const early = a.encode(many(1));
    expect(a.tableOf(early)).toEqual({ lineage: "a", length: 1 });
    supply(b, a, early);
    for (let i = 2; i < 60; i++) a.encode(many(i));
    expect(b.missingTable(a.encode(many(1)))).toBe(null);
    const late = a.encode(many(40));
    expect(a.tableOf(a.encode([shapeOf(40), shapeOf(3)]))).toEqual({ lineage: "a", length: 40 });
    expect(b.missingTable(late)).toEqual({ lineage: "a", length: 40 });
  });

  it("importing again, less, or the own table changes nothing; a contradiction is refused whole", () => {
    const [a, b] = [make("a"), make("b")];
    const first = a.encode(many(1));
    const short = a.exportTable({ lineage: "a", length: 1 }) as Uint8Array;
    const second = a.encode(many(2));
    b.importTable(a.exportTable({ lineage: "a", length: 2 }) as Uint8Array);
    b.importTable(short);
    a.importTable(short);
    expect([b.decode(first), b.decode(second), a.decode(second)]).toEqual([many(1), many(2), many(2)]);
    const impostor = make("a");
    impostor.encode(many(9));
    impostor.encode(many(8));
    impostor.encode(many(7));
    const forged = impostor.exportTable({ lineage: "a", length: 3 }) as Uint8Array;
    expect(() => b.importTable(forged)).toThrow(expect.objectContaining({ code: "E_CODEC_CORRUPT" }));
    expect(b.exportTable({ lineage: "a", length: 3 })).toBe(null);
    expect(b.decode(second)).toEqual(many(2));
  });

  it("keeps a bounded number of lineages and drops the least recently used", () => {
    const receiver = make("r", 16, 2);
    const [a, b, c] = [make("a"), make("b"), make("c")];
    const [fromA, fromB, fromC] = [a.encode(many(1)), b.encode(many(2)), c.encode(many(3))];
    supply(receiver, a, fromA);
    supply(receiver, b, fromB);
    receiver.decode(fromA);
    supply(receiver, c, fromC);
    expect(receiver.missingTable(fromA)).toBe(null);
    expect(receiver.missingTable(fromB)).toEqual({ lineage: "b", length: 1 });
    expect(receiver.missingTable(fromC)).toBe(null);
  });

  it("the own table takes no place among those of others", () => {
    const receiver = make("r", 16, 1);
    const a = make("a");
    receiver.encode(many(1));
    const fromA = a.encode(many(2));
    supply(receiver, a, fromA);
    receiver.importTable(receiver.exportTable({ lineage: "r", length: 1 }) as Uint8Array);
    expect(receiver.missingTable(fromA)).toBe(null);
  });

  it("a value without shared shapes stands alone", () => {
    const a = make("a");
    a.encode(many(1));
    for (const value of [1, [["s", ["players", "x"], 12]], { unseen: true }, new Map([[1, {}]])]) {
      const bytes = a.encode(value);
      expect(a.tableOf(bytes)).toBe(null);
      expect(make("b").decode(bytes)).toEqual(value);
    }
  });

  it.each(["", "x".repeat(256), "\ud800"])("refuses the lineage %o", (lineage) => {
    expect(() => make(lineage)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });
});

describe("what enters the table", () => {
  it("a collection's element shape at once, a lone object's after some encodings, written shorter from then on", () => {
    const a = make("a");
    expect(a.tableOf(a.encode(many(1)))).toEqual({ lineage: "a", length: 1 });
    const lone = { title: "x", rounds: 3, settings: true };
    const first = a.encode(lone).length;
    for (let i = 0; i < 10; i++) a.encode(lone);
    expect(a.tableOf(a.encode(lone))).toEqual({ lineage: "a", length: 2 });
    expect(a.encode(lone).length).toBeLessThan(first);
  });

  it("no dictionary: thousands of changing keys leave the table as it was and all values right", () => {
    const a = make("a");
    const b = make("b");
    const scores: Record<string, number> = {};
    for (let i = 0; i < 3_000; i++) {
      scores[`user-${i}`] = i;
      if (i > 20) delete scores[`user-${i - 20}`];
      const value = {
        small: { ...scores },
        large: i % 500 === 0 ? Object.fromEntries(Array.from({ length: 5_000 }, (_, k) => [`k${k}`, k])) : {},
      };
      const bytes = a.encode(value);
      supply(b, a, bytes);
      if (i % 50 === 0) expect(difference(b.decode(bytes), value)).toBe(null);
    }
    expect(a.exportTable({ lineage: "a", length: 2 })).toBe(null);
  });

  it.each<[string, object]>([
    ["numbers for keys", { 17: 1, 4: 2 }],
    ["an empty key", { "": 1 }],
    ["a very long key", { ["x".repeat(49)]: 1 }],
    ["more than 32 keys", Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, i]))],
    ["no keys", {}],
  ])("no object with %s, however often", (_name, value) => {
    const a = make("a");
    for (let i = 0; i < 50; i++) a.encode(value);
    const bytes = a.encode(value);
    expect(a.tableOf(bytes)).toBe(null);
    expect(difference(a.decode(bytes), value)).toBe(null);
  });

  it("never more shapes than the bound, and what comes later is still right", () => {
    const a = make("a", 5);
    for (let i = 0; i < 50; i++) expect(a.decode(a.encode(many(i)))).toEqual(many(i));
    expect(a.exportTable({ lineage: "a", length: 5 })).not.toBe(null);
    expect(a.exportTable({ lineage: "a", length: 6 })).toBe(null);
    const none = make("none", 0);
    expect(none.tableOf(none.encode(many(1)))).toBe(null);
  });

  it("numbers of more than one byte", () => {
    const a = make("a");
    for (let i = 0; i < 300; i++) a.encode(many(i));
    for (const i of [0, 127, 128, 200, 255, 299]) {
      expect(a.tableOf(a.encode(many(i)))).toEqual({ lineage: "a", length: i + 1 });
      expect(a.decode(a.encode(many(i)))).toEqual(many(i));
    }
  });

  it("a shape keeps its number when the candidates are forgotten", () => {
    const table = new ShapeTable(16);
    for (let i = 0; i < 8; i++) table.idOf(["a", "b"]);
    for (let i = 0; i < 8; i++) table.idOf(["a", "c"]);
    for (let i = 0; i < 30_000; i++) table.idOf([`x${i}`]);
    expect([table.idOf(["a", "b"]), table.idOf(["a", "c"]), table.idOf(["a"])]).toEqual([0, 1, -1]);
    // The tree was pruned: a candidate's hits are counted from nothing again.
    expect(table.shapes).toEqual([
      ["a", "b"],
      ["a", "c"],
    ]);
  });
});
