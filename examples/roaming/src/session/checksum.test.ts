import { expect, test } from "vitest";
import { chained } from "./checksum.js";

test("the chained checksum depends on every report and on their order", () => {
  const a = chained(chained(0, 1, 50.1, 8.7), 2, 50.2, 8.8);
  expect(chained(chained(0, 1, 50.1, 8.7), 2, 50.2, 8.8)).toBe(a);
  expect(chained(chained(0, 2, 50.2, 8.8), 1, 50.1, 8.7)).not.toBe(a);
  expect(chained(chained(0, 1, 50.1, 8.70001), 2, 50.2, 8.8)).not.toBe(a);
  expect(chained(0, 2, 50.2, 8.8)).not.toBe(a);
});
