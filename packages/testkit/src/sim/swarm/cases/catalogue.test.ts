import { describe, expect, it } from "vitest";
import { INTERLEAVINGS } from "./catalogue.js";

describe("the catalogue of interleavings", () => {
  it("names each once, in order, from 1 to 48", () => {
    const ids = INTERLEAVINGS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const numbers = ids.map((id) => Number.parseInt(id, 10));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 48 }, (_, i) => i + 1));
  });

  it("says of each what must have happened", () => {
    for (const { id, name, seen } of INTERLEAVINGS) expect(Math.min(name.length, seen.length), id).toBeGreaterThan(10);
  });
});
