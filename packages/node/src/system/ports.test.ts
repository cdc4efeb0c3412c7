import { describe, expect, it } from "vitest";
import { systemCrc32 } from "./crc32.js";
import { createSystemRandom } from "./random.js";
import { createTurnScope } from "./turn-scope.js";

describe("crc32", () => {
  it("gives the standard check value and continues from a seed", () => {
    const bytes = new TextEncoder().encode("123456789");
    expect(systemCrc32(bytes)).toBe(0xcbf43926);
    expect(systemCrc32(bytes.subarray(4), systemCrc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
  });
});

describe("random", () => {
  it("spans [0, 1) and never reaches 1", () => {
    const ones = createSystemRandom((target) => target.fill(0xff));
    expect(ones.next()).toBe(1 - 2 ** -53);
    expect(createSystemRandom((target) => target.fill(0)).next()).toBe(0);
  });

  it("refills its pool instead of repeating it", () => {
    let fills = 0;
    const random = createSystemRandom((target) => target.fill(++fills));
    const seen = new Set<number>();
    for (let i = 0; i < 1_024; i++) seen.add(random.next());
    expect(fills).toBe(2);
    expect(seen.size).toBe(2);
  });

  it("gives fresh bytes", () => {
    const random = createSystemRandom();
    expect(random.bytes(16)).toHaveLength(16);
    expect(random.bytes(16)).not.toEqual(random.bytes(16));
    const values = Array.from({ length: 2_000 }, () => random.next());
    expect(new Set(values).size).toBe(2_000);
    expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
  });
});

describe("turn scope", () => {
  it("follows a turn through awaits and keeps turns apart", async () => {
    const scope = createTurnScope();
    const a = {};
    const b = {};
    const work = async () => {
      await Promise.resolve();
      return scope.current();
    };
    const [gotA, gotB] = await Promise.all([scope.run(a, work), scope.run(b, work)]);
    expect(gotA).toBe(a);
    expect(gotB).toBe(b);
    expect(scope.current()).toBeUndefined();
    expect(scope.run(a, () => createTurnScope().current())).toBeUndefined();
  });
});
