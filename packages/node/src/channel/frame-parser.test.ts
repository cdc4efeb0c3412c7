import { errorCodeOf } from "@sojourn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameParser } from "./frame-parser.js";

const STREAM = Uint8Array.of(2, 0, 0, 0, 4, 0xaa, 1, 0, 0, 0, 5, 4, 0, 0, 0, 4, 1, 2, 3);
const BODIES = [[4, 0xaa], [5], [4, 1, 2, 3]];

function parse(chunks: readonly Uint8Array[], maxBodyBytes = 64): number[][] {
  const bodies: number[][] = [];
  const parser = new FrameParser(maxBodyBytes, (bytes, start, end) => {
    bodies.push([...bytes.subarray(start, end)]);
    return true;
  });
  for (const chunk of chunks) parser.push(chunk);
  return bodies;
}

const codeOf = (run: () => unknown): string | null => {
  try {
    run();
    return null;
  } catch (error) {
    return errorCodeOf(error);
  }
};

describe("frame parser", () => {
  it("reads literal bytes, split at every pair of boundaries", () => {
    for (let i = 0; i <= STREAM.length; i++) {
      for (let j = i; j <= STREAM.length; j++) {
        expect(parse([STREAM.subarray(0, i), STREAM.subarray(i, j), STREAM.subarray(j)])).toEqual(BODIES);
      }
    }
    expect(parse([...STREAM].map((byte) => Uint8Array.of(byte)))).toEqual(BODIES);
  });

  it("gives back any frames however the stream is cut", () => {
    const body = fc.uint8Array({ minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (bodies, cuts) => {
        const stream = bodies.flatMap((b) => [b.length & 0xff, b.length >> 8, 0, 0, ...b]);
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length] as number;
          chunks.push(Uint8Array.from(stream.slice(at, at + size)));
          at += size;
        }
        expect(parse(chunks, 700)).toEqual(bodies.map((b) => [...b]));
      }),
    );
  });

  it("does not copy a frame that lies whole in a chunk", () => {
    const seen: Uint8Array[] = [];
    const parser = new FrameParser(64, (bytes) => seen.push(bytes) > 0);
    parser.push(STREAM);
    expect(seen.every((bytes) => bytes === STREAM)).toBe(true);
  });

  it("puts frames that come in parts together in one place, if it may", () => {
    const seen: { bytes: Uint8Array; body: number[] }[] = [];
    const parser = new FrameParser(64, (bytes, start, end) => seen.push({ bytes, body: [...bytes.subarray(start, end)] }) > 0);
    parser.reuseBodies = true;
    for (const part of [
      [3, 0, 0, 0, 1],
      [2, 3],
      [2, 0, 0, 0],
      [4, 5],
      [4, 0, 0, 0, 6, 7],
      [8, 9],
    ])
      parser.push(Uint8Array.from(part));
    expect(seen.map(({ body }) => body)).toEqual([
      [1, 2, 3],
      [4, 5],
      [6, 7, 8, 9],
    ]);
    expect(seen[1]?.bytes.buffer).toBe(seen[0]?.bytes.buffer);
  });

  it("takes a frame of exactly the limit and refuses one byte more, before its bytes have come", () => {
    expect(parse([Uint8Array.of(3, 0, 0, 0, 1, 2, 3)], 3)).toEqual([[1, 2, 3]]);
    expect(codeOf(() => parse([Uint8Array.of(4, 0, 0, 0)], 3))).toBe("E_FRAME_TOO_LARGE");
    expect(codeOf(() => parse([Uint8Array.of(4), Uint8Array.of(0, 0, 0)], 3))).toBe("E_FRAME_TOO_LARGE");
    expect(codeOf(() => parse([Uint8Array.of(255, 255, 255, 255)], 2 ** 26))).toBe("E_FRAME_TOO_LARGE");
    expect(codeOf(() => parse([Uint8Array.of(0, 0, 0, 0)]))).toBe("E_FRAME_MALFORMED");
  });

  it("stops when the taker says so", () => {
    let frames = 0;
    new FrameParser(64, () => ++frames < 2).push(STREAM);
    expect(frames).toBe(2);
  });
});
