import { expect, test } from "vitest";
import { type TravellerState, traveller } from "./traveller.js";

test("a traveller's state is about 5 KB of plain data", () => {
  const state = traveller.state() as TravellerState;
  const size = JSON.stringify(state, (_, value) => (value instanceof Map ? [...value] : value)).length;
  expect(size).toBeGreaterThan(4_000);
  expect(size).toBeLessThan(7_000);
});
