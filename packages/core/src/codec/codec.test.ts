import { describe, expect, it } from "vitest";
import { createRecordCodec } from "./record-codec.js";

const hex = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString("hex");
const text = (value: string) => Buffer.from(value).toString("hex");
const make = () => createRecordCodec({ lineage: "n1/k", maxSharedShapes: 1_024, maxCodecLineages: 8, maxDepth: 100 });

/** Snapshots on disk and nodes of another version rely on these bytes. A change here needs a new format byte, not a new expectation. */
describe("golden bytes of encoded state", () => {
  it("a value that stands alone: format 1, the value", () => {
    expect(hex(make().encode([["s", ["players", "p"], 12]]))).toBe(`01 91 93 a173 92 a7${text("players")} a170 0c`.replaceAll(" ", ""));
  });

  it("a value with shapes: format 2, lineage, needed length, and records as c1 + number + values", () => {
    const codec = make();
    for (let i = 0; i < 7; i++) codec.encode({ x: 1, y: 2 });
    expect(hex(codec.encode({ x: 1, y: 2 }))).toBe(`02 04${text("n1/k")} 0100 c100 01 02`.replaceAll(" ", ""));
    for (let i = 1; i < 300; i++) codec.encode(Array.from({ length: 8 }, () => ({ [`f${i}`]: 0 })));
    expect(hex(codec.encode({ f299: true }))).toBe(`02 04${text("n1/k")} 2c01 c1ab02 c3`.replaceAll(" ", ""));
  });

  it("a table: format 3, lineage, shapes in order", () => {
    const codec = make();
    for (let i = 0; i < 8; i++) codec.encode([{ x: 1, y: 2 }, { id: 1 }]);
    const table = codec.exportTable({ lineage: "n1/k", length: 2 });
    expect(hex(table)).toBe(`03 04${text("n1/k")} 92 92 a178 a179 91 a26964`.replaceAll(" ", ""));
    expect(codec.exportTable({ lineage: "n1/k", length: 1 })).toEqual(table);
  });

  it("bytes written by hand are read", () => {
    const codec = createRecordCodec({ lineage: "other", maxSharedShapes: 8, maxCodecLineages: 8, maxDepth: 100 });
    codec.importTable(Buffer.from(`0302${text("ab")}91 92 a178 a179`.replaceAll(" ", ""), "hex"));
    expect(codec.decode(Buffer.from(`0202${text("ab")}0100 91 c10001c0`.replaceAll(" ", ""), "hex"))).toEqual([{ x: 1, y: null }]);
  });

  it("the caller keeps its bytes: a later encoding does not change them", () => {
    const codec = make();
    const bytes = codec.encode(["first"]);
    const before = hex(bytes);
    codec.encode(["second and longer"]);
    expect(hex(bytes)).toBe(before);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });
});
