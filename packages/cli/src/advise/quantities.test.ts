import { describe, expect, test } from "vitest";
import { UsageError } from "../command-line/command.js";
import { bytesText, countText, rateText, timeText, usdText } from "./amounts.js";
import { parseCount, parseRate, parseSize, parseWord } from "./quantities.js";

test.each([
  ["5kb", 5_000],
  ["5 KB", 5_000],
  ["200b", 200],
  ["1.5MiB", 1_572_864],
  ["64GB", 64e9],
  ["1_000b", 1_000],
])("%s is %i bytes", (text, bytes) => {
  expect(parseSize("size", text)).toBe(bytes);
});

test.each([
  ["120/s", 120, false],
  ["2.5k/s", 2_500, false],
  ["30/min", 0.5, false],
  ["36/h/session", 0.01, true],
  ["1M/d", 1e6 / 86_400, false],
])("%s is %d a second", (text, perSec, perSession) => {
  expect(parseRate("moves", text)).toEqual({ perSec: expect.closeTo(perSec), perSession });
});

test.each([
  ["1M", 1_000_000],
  ["10k", 10_000],
  ["250", 250],
  ["1,000", 1_000],
])("%s is %i", (text, count) => {
  expect(parseCount("sessions", text)).toBe(count);
});

describe("what is wrong is said with what was meant", () => {
  test.each([
    [() => parseSize("size", "5000"), '--size must be a size with its unit, not "5000"; did you mean 5000b?'],
    [() => parseSize("size", "5kbb"), 'not "5kbb"; did you mean 5kb?'],
    [() => parseSize("size", "5 parsec"), "--size must be a size, e.g. 5kb (units: b, kb, mb, gb, tb, kib, mib, gib, tib), not"],
    [() => parseSize("size", "-5kb"), "--size must be a size, e.g. 5kb"],
    [() => parseSize("size", "many"), "--size must be a size, e.g. 5kb"],
    [() => parseRate("turns", "20"), '--turns must be a rate with its unit, not "20"; did you mean 20/s?'],
    [() => parseRate("turns", "20/mn"), "did you mean 20/min?"],
    [() => parseRate("turns", "20/week"), "units: s, min, h, d"],
    [() => parseRate("turns", "often"), "--turns must be a rate, e.g. 20/s"],
    [() => parseCount("sessions", "0"), "--sessions must be a count"],
    [() => parseCount("sessions", "1T"), "--sessions must be a count"],
    [
      () => parseWord("durability", "stron", ["strong", "eventual"]),
      '--durability must be strong or eventual, not "stron"; did you mean strong?',
    ],
    [() => parseWord("store", "tape", ["disk", "s3"]), '--store must be disk or s3, not "tape"'],
  ])("%#", (parse, says) => {
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(says);
  });
});

test("amounts are written short", () => {
  expect([0, 5_000, 999_600, 50.2e9].map(bytesText)).toEqual(["0 B", "5 KB", "1 MB", "50.2 GB"]);
  expect([0, 20, 1_234, 20e6, 2 / 60, 1 / 3_600].map(rateText)).toEqual(["0/s", "20/s", "1234/s", "20 M/s", "2/min", "1/h"]);
  expect([12, 1_500, 20_000, 1e6, 3e9].map(countText)).toEqual(["12", "1500", "20 k", "1 M", "3 G"]);
  expect([0, 0.25, 1.43, 30_000, 300_000].map(timeText)).toEqual(["0", "250 µs", "1.43 ms", "30 s", "5 min"]);
  expect([0, 0.00029, 0.02, 1_234.5].map(usdText)).toEqual(["0 USD", "0.00029 USD", "0.02 USD", "1,235 USD"]);
});
