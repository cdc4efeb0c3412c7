import { expect, it } from "vitest";
import { invariantOf } from "./invariant-of.js";

it("takes the invariant from the start of a problem", () => {
  const problems = ["I2: x", "liveness: x", "rule 10: x", "I12: x", "I2x", "the run ended with Error"];
  expect(problems.map(invariantOf)).toEqual(["I2", "liveness", "rule 10", "other", "other", "other"]);
});
