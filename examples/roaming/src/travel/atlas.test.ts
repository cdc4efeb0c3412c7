import { describe, expect, test } from "vitest";
import { worldAtlas } from "./atlas.js";
import { NODE_PLACES } from "./cities.js";
import { along } from "./geo.js";

const [FRANKFURT = { id: "", lat: 0, lon: 0 }, ASHBURN = FRANKFURT] = NODE_PLACES;
const all = () => true;

describe("the atlas of the world", () => {
  test("leads to the nearest node, and away from one that has closed, even for who stands beside it", () => {
    const atlas = worldAtlas(NODE_PLACES.slice(0, 3));
    expect(atlas.nearest(0, FRANKFURT, all)).toBe("fra-1");
    expect(atlas.nearest(0, FRANKFURT, (node) => node !== "fra-1")).toBe("iad-1");
    expect(atlas.nearest(0, FRANKFURT, () => false)).toBeNull();
  });

  test("keeps a user until another node is 50 km nearer; each user has a border of its own", () => {
    const atlas = worldAtlas(NODE_PLACES.slice(0, 2));
    const [before, justOver, wellOver] = [0.45, 0.502, 0.51].map((share) => along(FRANKFURT, ASHBURN, share)); // of about 6,500 km
    if (before === undefined || justOver === undefined || wellOver === undefined) throw new Error("three places");
    expect(atlas.nearest(0, before, all)).toBe("fra-1");
    expect(atlas.nearest(0, justOver, all)).toBe("fra-1");
    expect(atlas.nearest(1, justOver, all)).toBe("iad-1");
    expect(atlas.nearest(0, wellOver, all)).toBe("iad-1");
    expect(atlas.nearest(0, justOver, all)).toBe("iad-1");
  });
});
