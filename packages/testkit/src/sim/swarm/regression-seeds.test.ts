import { describe, expect, it } from "vitest";
import { REGRESSION_SEEDS } from "./regression-seeds.js";
import { runSeed } from "./run-seed.js";

describe("seeds that found something wrong", () => {
  for (const { seed, strategy = "replica", was } of REGRESSION_SEEDS) {
    it(`${seed}: ${was}`, async () => {
      const { problems } = await runSeed(seed, strategy === "drawn" ? {} : { strategy });
      expect(problems).toEqual([]);
    });
  }
});
