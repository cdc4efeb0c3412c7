import { expect, test } from "vitest";
import { type TravellerState, traveller } from "./traveller.js";

test("a traveller's state is about 5 KB of plain data once it has been on the way", () => {
  const state = traveller.state() as TravellerState;
  state.journal = state.journal.map((_, n) => ({ n: 100 + n, lat: 37.78576 + n / 1_000, lon: -122.40612, atMs: 1_764_000_000_000 + n }));
  const size = JSON.stringify(state, (_, value) => (value instanceof Map ? [...value] : value)).length;
  expect(size).toBeGreaterThan(4_500);
  expect(size).toBeLessThan(6_000);
});
