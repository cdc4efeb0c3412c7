import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meanOf, mergeHistograms, percentileOf } from "./histogram-data.js";
import { LogHistogram } from "./log-histogram.js";

const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })), {
  minLength: 1,
  maxLength: 200,
});
const precisions = fc.constantFrom(1, 3);

function of(list: readonly number[], precision = 3): LogHistogram {
  const histogram = new LogHistogram(precision);
  for (const value of list) histogram.record(value);
  return histogram;
}

describe("a histogram", () => {
  test("puts each value into the bucket that holds it, no wider than its precision", () => {
    fc.assert(
      fc.property(values, precisions, (list, precision) => {
        const { count, sum, max, buckets } = of(list, precision).data();
        expect([count, sum, max]).toEqual([list.length, list.reduce((a, b) => a + b, 0), Math.max(...list)]);
        for (const [from, to, held] of buckets) {
          expect(list.filter((value) => value >= from && value < to)).toHaveLength(held);
          expect(to - from).toBeLessThanOrEqual(Math.max(1, from / 2 ** precision));
        }
        expect(buckets.reduce((total, [, , held]) => total + held, 0)).toBe(count);
      }),
    );
  });

  test("finds percentiles to the width of a bucket", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1] as number;
        expect(Math.abs(percentileOf(of(list).data(), percent) - exact)).toBeLessThanOrEqual(exact / 8 + 1);
      }),
    );
  });

  test("takes any number and never throws", () => {
    const { count, max, buckets } = of([-5, 1.9, Number.NaN, 2 ** 40, Number.POSITIVE_INFINITY]).data();
    expect([count, max]).toEqual([5, 2 ** 32 - 1]);
    expect(buckets.map(([from, , held]) => [from, held])).toEqual([
      [0, 2],
      [1, 1],
      [15 * 2 ** 28, 2],
    ]);
  });

  test("forgets by halves", () => {
    const histogram = of([...Array<number>(8).fill(100), ...Array<number>(4).fill(1_000), 50_000]);
    histogram.halve();
    const { count, max, sum } = histogram.data();
    expect([count, percentileOf(histogram.data(), 50)]).toEqual([6, expect.closeTo(100, -1)]);
    expect(max).toBeLessThan(1_100);
    expect(sum / count).toBeCloseTo(histogram.mean);
    for (let i = 0; i < 4; i++) histogram.halve();
    expect(histogram.data()).toEqual({ count: 0, sum: 0, max: 0, buckets: [] });
  });

  test("is scaled for its reader", () => {
    const { sum, max, buckets } = of([1_500, 3_000]).data(1e-3);
    expect([sum, max]).toEqual([4.5, 3]);
    expect(buckets[0]?.[0]).toBeLessThanOrEqual(1.5);
  });
});

test("several are one", () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(mergeHistograms([of(a).data(), of(b).data()])).toEqual(of([...a, ...b]).data());
    }),
  );
  expect(mergeHistograms([])).toEqual({ count: 0, sum: 0, max: 0, buckets: [] });
  expect([percentileOf(mergeHistograms([]), 50), meanOf(mergeHistograms([]))]).toEqual([0, 0]);
});
