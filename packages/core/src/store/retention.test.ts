import { describe, expect, it } from "vitest";
import { isUnder } from "./list-prefix.js";
import { planPrune } from "./retention.js";

const at = (epoch: number, version: number) => ({ epoch, version });
const bases = [at(1, 5), at(2, 3), at(1, 9), at(3, 4)];
const label = (list: readonly { epoch: number; version: number }[]) => list.map((b) => `${b.epoch}/${b.version}`);

describe("planPrune", () => {
  const plan = async (keep: number, damaged: string[] = []) => {
    const read: string[] = [];
    const {
      keep: kept,
      remove,
      logFrom,
      damagedBases,
    } = await planPrune(bases, keep, async ({ epoch, version }) => {
      read.push(`${epoch}/${version}`);
      return !damaged.includes(`${epoch}/${version}`);
    });
    return { kept: label(kept), removed: label(remove), from: logFrom && label([logFrom])[0], damagedBases, read };
  };

  it("counts only good ones, from the newest by (epoch, version), and reads no more than it needs", async () => {
    expect(await plan(2)).toEqual({
      kept: ["3/4", "2/3"],
      removed: ["1/9", "1/5"],
      from: "2/3",
      damagedBases: 0,
      read: ["3/4", "2/3"],
    });
    expect(await plan(2, ["3/4"])).toMatchObject({ kept: ["3/4", "2/3", "1/9"], removed: ["1/5"], from: "1/9", damagedBases: 1 });
  });

  it("removes nothing when there are too few good ones", async () => {
    expect(await plan(4, ["2/3"])).toMatchObject({ removed: [], from: "1/5", damagedBases: 1 });
    expect(await plan(1, ["3/4", "2/3", "1/9"])).toMatchObject({ removed: [], from: "1/5" });
    expect(await plan(1, ["3/4", "2/3", "1/9", "1/5"])).toMatchObject({ removed: [], damagedBases: 4 });
  });

  it("keeps one even when asked for none", async () => {
    expect(await plan(0)).toMatchObject({ kept: ["3/4"] });
  });
});

describe("isUnder", () => {
  it("goes by whole segments", () => {
    const under = (prefix: string) => ["room/a", "room/ab", "room/a/b", "roomy/a"].filter((session) => isUnder(session, prefix));
    expect(under("room/a")).toEqual(["room/a", "room/a/b"]);
    expect(under("room")).toEqual(["room/a", "room/ab", "room/a/b"]);
    expect(under("room/")).toEqual(under("room"));
    expect(under("")).toHaveLength(4);
  });
});
