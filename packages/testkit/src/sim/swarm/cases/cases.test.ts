import { describe, expect, it } from "vitest";
import { runSeed } from "../run-seed.js";
import { INTERLEAVINGS } from "./catalogue.js";

/** Cases that need nothing to go wrong. */
const BY_WORK_ALONE = /^(6|21|22|23|26|27|28|29|30|31|32|33|37|38|39|40|41|42)[ab]?$/;

const casesOf = async (seed: number, options: Parameters<typeof runSeed>[1]) => {
  const { reached, problems } = await runSeed(seed, options);
  expect(problems).toEqual([]);
  return INTERLEAVINGS.map(({ id }) => id).filter((id) => (reached.get(`case ${id}`) ?? 0) > 0);
};

describe("cases", () => {
  it("do not come about where nothing goes wrong", async () => {
    for (const seed of [3, 4, 8]) {
      const found = await casesOf(seed, { faults: [], workloads: ["chat", "roam"], nodes: 3 });
      for (const id of found) expect(id, `seed ${seed}`).toMatch(BY_WORK_ALONE);
    }
  });

  it("come about where what they need does", async () => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 4; seed++)
      for (const id of await casesOf(seed, { faults: ["directoryRestart", "wallJump", "connectionReset"], nodes: 3 })) found.add(id);
    // A plan draws its faults; what is drawn by none of them is not there.
    for (const id of ["11a", "13", "43", "44b", "45"]) expect(found).not.toContain(id);
    expect(found).toContain("28");
  });
});
