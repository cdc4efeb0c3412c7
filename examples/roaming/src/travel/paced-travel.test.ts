import { describe, expect, test } from "vitest";
import { worldAtlas } from "./atlas.js";
import { NODE_PLACES } from "./cities.js";
import { PacedTravel } from "./paced-travel.js";
import { generateTrips } from "./trips.js";

const USERS = 30;

function setup(perSecond: number) {
  const atlas = worldAtlas(NODE_PLACES.slice(0, 3));
  const closed = new Set<string>();
  const crossings: { user: number; node: string }[] = [];
  const positions: number[] = [];
  const travel = new PacedTravel(
    generateTrips(USERS, 5),
    USERS,
    (fix) => atlas.nearest(fix.user, fix, (node) => !closed.has(node)),
    perSecond,
    { position: ({ atS }) => positions.push(atS), crossing: (user, node) => crossings.push({ user, node }) },
  );
  return { travel, crossings, positions, closed };
}

describe("paced travel", () => {
  test("departs with every user at its nearest node", () => {
    const { travel, positions, crossings } = setup(10);
    expect(travel.depart().size).toBe(USERS);
    expect(positions).toHaveLength(USERS);
    expect(crossings).toEqual([]);
  });

  test("crosses borders at the even pace that was asked for, however often it is looked at", () => {
    const { travel, crossings } = setup(50);
    travel.depart();
    travel.begin(1_000);
    for (let nowMs = 1_000; nowMs <= 3_000; nowMs += 7) travel.advance(nowMs);
    travel.advance(3_000);
    expect(crossings).toHaveLength(100);
    travel.advance(5_000);
    expect(crossings).toHaveLength(200);
  });

  test("each crossing leads to another node than before", () => {
    const { travel, crossings } = setup(100);
    const at = new Map(travel.depart());
    travel.begin(0);
    travel.advance(5_000);
    for (const { user, node } of crossings) {
      expect(node).not.toBe(at.get(user));
      at.set(user, node);
    }
  });

  test("shows positions in order of time, also between two crossings", () => {
    const { travel, positions } = setup(1);
    travel.depart();
    travel.begin(0);
    const counts = [0, 250, 500, 750, 990].map((nowMs) => {
      travel.advance(nowMs);
      return positions.length;
    });
    expect(new Set(counts).size).toBeGreaterThan(2);
    travel.advance(20_000);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  test("leads users away from a node that has closed, and nobody to it", () => {
    const { travel, crossings, closed } = setup(100);
    const at = new Map(travel.depart());
    travel.begin(0);
    travel.advance(1_000);
    closed.add("fra-1");
    const before = crossings.length;
    travel.advance(30_000);
    expect(crossings.slice(before + 1).some(({ node }) => node === "fra-1")).toBe(false); // one was read ahead
    for (const { user, node } of crossings) at.set(user, node);
    expect([...at.values()]).not.toContain("fra-1");
  });

  test("goes on without crossings when there is nowhere else to go", () => {
    const { travel, crossings, closed, positions } = setup(100);
    closed.add("iad-1").add("sin-1");
    travel.depart();
    travel.begin(0);
    travel.advance(1_000);
    expect(crossings).toEqual([]);
    expect(positions.length).toBeGreaterThan(USERS);
  });
});
