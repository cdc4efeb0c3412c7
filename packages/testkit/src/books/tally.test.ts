import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lostOf, newTally, observe } from "./tally.js";

function tallyOf(numbers: readonly number[]) {
  const tally = newTally();
  for (const n of numbers) observe(tally, n);
  return tally;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("a tally", () => {
  test("is clean when every number comes once and in order", () => {
    const tally = tallyOf(upTo(100));
    expect(tally).toMatchObject({ next: 101, missing: [], doubled: 0, reordered: 0 });
    expect(lostOf(tally, 100)).toBe(0);
  });

  test("counts a loss in the middle and at the end", () => {
    expect(lostOf(tallyOf([1, 2, 4]), 6)).toBe(3);
  });

  test("counts what never came at all", () => {
    expect(lostOf(newTally(), 5)).toBe(5);
  });

  test("counts a number that came again", () => {
    expect(tallyOf([1, 2, 2, 3, 1])).toMatchObject({ doubled: 2, reordered: 0, missing: [] });
  });

  test("counts a number that came late as reordered and not as lost; once more it is doubled", () => {
    const tally = tallyOf([1, 3, 2, 2]);
    expect(tally).toMatchObject({ reordered: 1, doubled: 1 });
    expect(lostOf(tally, 3)).toBe(0);
  });

  test("stays bounded over a huge gap and still counts it", () => {
    const tally = tallyOf([1, 1_000_000]);
    expect(tally.missing.length).toBeLessThanOrEqual(256);
    expect(lostOf(tally, 1_000_000)).toBe(999_998);
  });

  test("finds exactly what was injected", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), fc.array(fc.nat()), fc.array(fc.nat()), (sent, losses, doubles) => {
        const lost = new Set(losses.map((n) => (n % sent) + 1));
        const doubled = new Set(doubles.map((n) => (n % sent) + 1).filter((n) => !lost.has(n)));
        const tally = tallyOf(upTo(sent).flatMap((n) => (lost.has(n) ? [] : doubled.has(n) ? [n, n] : [n])));
        expect(lostOf(tally, sent)).toBe(lost.size);
        expect(tally.doubled).toBe(doubled.size);
        expect(tally.reordered).toBe(0);
      }),
    );
  });

  test("sees any disorder of complete numbers as reordering only", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(upTo(60), { minLength: 60 }), (numbers) => {
        const tally = tallyOf(numbers);
        const highestBefore = numbers.map((_, i) => Math.max(0, ...numbers.slice(0, i)));
        expect(lostOf(tally, 60)).toBe(0);
        expect(tally.doubled).toBe(0);
        expect(tally.reordered).toBe(numbers.filter((n, i) => n < (highestBefore[i] ?? 0)).length);
      }),
    );
  });
});
