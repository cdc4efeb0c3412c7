import { describe, expect, it } from "vitest";
import { DeltaLog } from "./delta-log.js";
import { countFitting, isOnChain } from "./replica-source.js";

const delta = (bytes: number) => new Uint8Array(bytes);

describe("a position lies on the chain", () => {
  const log = new DeltaLog(1_000, 3);
  log.push(delta(1), 30);
  log.push(delta(1), 40);
  const chain = { log, version: 5, hash: 50 };

  it.each([
    [{ version: 5, hash: 50 }, true],
    [{ version: 5, hash: 51 }, false],
    [{ version: 4, hash: 40 }, true],
    [{ version: 4, hash: 30 }, false],
    [{ version: 3, hash: 30 }, true],
    [{ version: 2, hash: 20 }, false],
    [{ version: 6, hash: 60 }, false],
  ])("%j: %s", (at, on) => {
    expect(isOnChain(chain, at)).toBe(on);
  });
});

it("counts the deltas that have room together, from the first on", () => {
  const deltas = [delta(3), delta(4), delta(1)];
  expect([0, 2, 3, 6, 7, 8, 9].map((room) => countFitting(deltas, room))).toEqual([0, 0, 1, 1, 2, 3, 3]);
  expect(countFitting([], 0)).toBe(0);
});
