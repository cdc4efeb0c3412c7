import fc from "fast-check";
import { expect, it } from "vitest";
import { STORE_KINDS } from "./strategy.js";
import { resolveWorkload, type Workload, type WorkloadInput } from "./workload.js";

/** A small busy session of many, with what a test changes. */
export function workload(change: Partial<WorkloadInput> = {}): Workload {
  return resolveWorkload({ stateBytes: 5_000, turnsPerSec: 20, movesPerSec: 120, sessions: 1_000_000, ...change });
}

/** Numbers over many orders of magnitude. */
const decades = (min: number, max: number) => fc.double({ min: Math.log(min), max: Math.log(max), noNaN: true }).map(Math.exp);

/** Any workload that makes sense. */
export const anyWorkload: fc.Arbitrary<Workload> = fc
  .record({
    stateBytes: decades(100, 1e9),
    deltaBytes: decades(10, 1e5),
    turnsPerSec: decades(1e-3, 200),
    movesPerSec: decades(1e-3, 1e4),
    durability: fc.constantFrom("strong" as const, "eventual" as const),
    sessions: decades(1, 1e6).map(Math.round),
    memoryBytes: fc.option(decades(1e9, 1e14)),
    standbys: fc.integer({ min: 1, max: 3 }),
    store: fc.constantFrom(...STORE_KINDS),
  })
  .map(resolveWorkload);

it("a workload has defaults and is checked", () => {
  expect(workload()).toMatchObject({ durability: "strong", deltaBytes: 200, standbys: 1, store: "disk", memoryBytes: null });
  expect(workload({ stateBytes: 50 }).deltaBytes).toBe(50);
  for (const wrong of [{ stateBytes: 0 }, { turnsPerSec: -1 }, { sessions: Number.NaN }, { memoryBytes: 0 }]) {
    expect(() => workload(wrong)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  }
});
