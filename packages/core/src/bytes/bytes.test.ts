import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bool, bytes, f64, list, nullable, oneOf, str, struct, u32, uint } from "./layout.js";
import { ByteReader } from "./reader.js";
import { ByteWriter } from "./writer.js";

const everything = struct({
  small: uint,
  word: u32,
  real: f64,
  text: str,
  blob: bytes,
  flag: bool,
  maybe: nullable(str),
  many: list(uint),
  choice: oneOf("red", "green"),
});

const anything = fc.record({
  small: fc.maxSafeNat(),
  word: fc.integer({ min: 0, max: 0xffff_ffff }),
  real: fc.double(),
  text: fc.string({ unit: "grapheme", maxLength: 200 }),
  blob: fc.uint8Array({ maxLength: 300 }),
  flag: fc.boolean(),
  maybe: fc.option(fc.string({ unit: "grapheme" })),
  many: fc.array(fc.maxSafeNat(), { maxLength: 20 }),
  choice: fc.constantFrom("red" as const, "green" as const),
});

function written(value: Parameters<typeof everything.write>[1]): Uint8Array {
  const writer = new ByteWriter(1);
  everything.write(writer, value);
  return writer.take();
}

describe("byte layouts", () => {
  it("reads what was written, and nothing is left over", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const reader = new ByteReader(written(value));
        const read = everything.read(reader);
        reader.end();
        expect({ ...read, blob: [...read.blob] }).toEqual({ ...value, blob: [...value.blob] });
      }),
    );
  });

  it("refuses every cut", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const whole = written(value);
        for (let end = 0; end < whole.length; end++) {
          expect(() => everything.read(new ByteReader(whole.subarray(0, end)))).toThrow(
            expect.objectContaining({ code: "E_FRAME_MALFORMED" }),
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  it("keeps the exact bytes", () => {
    const value = {
      small: 300,
      word: 7,
      real: 1,
      text: "é",
      blob: new Uint8Array([1]),
      flag: true,
      maybe: null,
      many: [0, 128],
      choice: "green" as const,
    };
    expect([...written(value)]).toEqual([
      0xac, 0x02, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 2, 0xc3, 0xa9, 1, 1, 1, 0, 2, 0, 0x80, 1, 1,
    ]);
  });

  it("refuses forged lengths, booleans, choices and integers beyond 2^53 without allocating", () => {
    const bad: [string, number[], (reader: ByteReader) => unknown][] = [
      ["a list longer than its frame", [0xff, 0xff, 0xff, 0x7f], (r) => list(uint).read(r)],
      ["a boolean of 2", [2], (r) => bool.read(r)],
      ["an unknown choice", [9], (r) => oneOf("red", "green").read(r)],
      ["2^53", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], (r) => r.uint()],
      ["an integer without end", Array(9).fill(0x80), (r) => r.uint()],
      ["bytes past the end", [5, 1, 2], (r) => r.bytes()],
      ["broken UTF-8", [2, 0xc3, 0x28], (r) => r.str()],
    ];
    for (const [name, data, read] of bad) {
      expect(() => read(new ByteReader(new Uint8Array(data))), name).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
    }
    expect(() => new ByteReader(new Uint8Array([1])).end()).toThrow("1 bytes too many");
  });

  it("keeps a byte order mark and counts lone surrogates as U+FFFD", () => {
    const writer = new ByteWriter();
    writer.str("\ufeffx");
    writer.str("\ud800");
    const reader = new ByteReader(writer.take());
    expect(reader.str()).toBe("\ufeffx");
    expect(reader.str()).toBe("\ufffd");
  });
});
