import { describe, expect, test } from "vitest";
import { CITIES } from "./cities.js";
import { distanceKm } from "./geo.js";
import type { Fix } from "./journeys.js";
import { generateTrips } from "./trips.js";

function take(count: number, users: number, seed: number): Fix[] {
  const journeys = generateTrips(users, seed);
  return Array.from({ length: count }, () => journeys.next());
}

describe("generated trips", () => {
  test("are the same for the same seed and others for another", () => {
    expect(take(500, 5, 42)).toEqual(take(500, 5, 42));
    expect(take(500, 5, 43)).not.toEqual(take(500, 5, 42));
  });

  test("begin with one fix per user, in a city", () => {
    const first = take(20, 20, 7);
    expect(first.map(({ user }) => user)).toEqual(Array.from({ length: 20 }, (_, user) => user));
    for (const fix of first) {
      expect(fix.atS).toBe(0);
      expect(Math.min(...CITIES.map((city) => distanceKm(fix, city)))).toBeLessThan(1);
    }
  });

  test("come in order of time, and nobody is faster than an airliner", () => {
    const last = new Map<number, Fix>();
    let before = 0;
    for (const fix of take(20_000, 10, 3)) {
      expect(fix.atS).toBeGreaterThanOrEqual(before);
      before = fix.atS;
      const previous = last.get(fix.user);
      if (previous !== undefined) expect(distanceKm(previous, fix)).toBeLessThanOrEqual((fix.atS - previous.atS) * 0.25 + 1e-6);
      last.set(fix.user, fix);
    }
  });

  test("lead every user to several cities", () => {
    const visited = new Map<number, Set<string>>();
    for (const fix of take(20_000, 10, 3)) {
      const city = CITIES.find((place) => distanceKm(place, fix) < 1);
      if (city !== undefined) visited.set(fix.user, (visited.get(fix.user) ?? new Set()).add(city.name));
    }
    expect([...visited.values()].map(({ size }) => size >= 3)).toEqual(Array(10).fill(true));
  });
});
