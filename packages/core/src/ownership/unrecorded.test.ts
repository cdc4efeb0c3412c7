import { describe, expect, it } from "vitest";
import { afterUnrecorded, beginningOf } from "./unrecorded.js";

describe("the chain of turns whose deltas nobody keeps", () => {
  it("comes to other positions in other lives, epochs and versions, all of 32 bits", () => {
    const seen = new Set<number>();
    for (let life = 1; life <= 20; life++) {
      let hash = beginningOf(life);
      seen.add(hash);
      for (let version = 1; version <= 20; version++) {
        hash = afterUnrecorded(hash, life, version);
        seen.add(hash);
        expect(hash >>> 0).toBe(hash);
      }
    }
    expect(seen.size).toBe(20 * 21);
    expect(afterUnrecorded(7, 2, 5)).not.toBe(afterUnrecorded(7, 3, 5));
  });
});
