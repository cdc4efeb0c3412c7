import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BaseWrite } from "../ports/session-store.js";
import { joinPieces, openBase, sealBase, sealWhole } from "./sealed-base.js";

const sum = (bytes: Uint8Array, seed = 0): number => crc32(bytes, seed);
const options = { crc32: sum, maxBytes: 1_000, pieceBytes: 64 };

function base(chunks: BaseWrite["chunks"], table: Uint8Array | null = null): BaseWrite {
  return { epoch: 2, version: 300, hash: 5, stateVersion: 1, chunks, table: () => table };
}

async function pieces(write: BaseWrite, pieceBytes = 64): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of sealBase("room/a", write, { ...options, pieceBytes })) all.push(piece);
  return all;
}

describe("sealed bases", () => {
  it("come back from chunks and pieces of any size", async () => {
    const chunk = fc.uint8Array({ maxLength: 90 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 8 }),
        fc.integer({ min: 20, max: 200 }),
        fc.option(fc.uint8Array({ maxLength: 30 })),
        async (chunks, size, table) => {
          const sealed = await pieces(base(chunks, table), size);
          expect(sealed.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
          const whole = joinPieces(sealed);
          expect(whole).toEqual(sealWhole("room/a", { ...base(chunks, table), chunks }, options));
          const opened = openBase("room/a", whole, sum);
          expect(opened).toEqual({ epoch: 2, version: 300, hash: 5, stateVersion: 1, table, bytes: joinPieces(chunks) });
        },
      ),
    );
  });

  it("give nothing for every cut, every flipped bit, and another session", async () => {
    const whole = joinPieces(await pieces(base([new Uint8Array([1, 2, 3])], new Uint8Array([4]))));
    for (let end = 0; end < whole.length; end++) expect(openBase("room/a", whole.slice(0, end), sum)).toBeNull();
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bad = whole.slice();
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openBase("room/a", bad, sum)).toBeNull();
    }
    expect(openBase("room/b", whole, sum)).toBeNull();
  });

  it("ask for the table once, after the last chunk, and for chunks one by one", async () => {
    const asked: string[] = [];
    function* chunks() {
      for (let i = 0; i < 3; i++) {
        asked.push(`chunk ${i}`);
        yield new Uint8Array(64);
      }
    }
    const table = (): null => {
      asked.push("table");
      return null;
    };
    const write = { ...base(chunks()), table };
    for await (const _ of sealBase("room/a", write, options)) asked.push("piece");
    expect(asked).toEqual(["chunk 0", "piece", "chunk 1", "piece", "chunk 2", "piece", "table", "piece"]);
  });

  it("stop at the bound", async () => {
    await expect(pieces(base([new Uint8Array(600), new Uint8Array(401)]))).rejects.toMatchObject({ code: "E_STORE_TOO_LARGE" });
    expect((await pieces(base([new Uint8Array(600), new Uint8Array(400)]))).length).toBeGreaterThan(10);
  });
});
