import type { NodeEntry, Place } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { rankStandbys } from "./rank-standbys.js";

const entry = (id: string, place: Place = {}, change: Partial<NodeEntry["info"]> = {}): NodeEntry => ({
  ref: `${id}#1`,
  ended: false,
  info: { id, place, clientEndpoint: "", controlEndpoint: "", kinds: { room: 1 }, cordoned: false, ...change },
});
const rank = (others: readonly NodeEntry[], place: Place = {}, rtt: Readonly<Record<string, number>> = {}, key = "room/1") =>
  rankStandbys(key, "self#1", place, others, (ref) => rtt[ref.slice(0, ref.indexOf("#"))] ?? 1);

describe("the nodes for a session's copies", () => {
  it("are in another failure domain first, however near the own one is", () => {
    const others = [entry("near", { region: "eu", zone: "a" }), entry("far", { region: "eu", zone: "b" })];
    expect(rank(others, { region: "eu", zone: "a" }, { near: 0.2, far: 9 })).toEqual(["far#1", "near#1"]);
  });

  it("fail together only in the same zone of the same region", () => {
    const others = [entry("b", { region: "us", zone: "a" }), entry("c", { region: "eu", zone: "a" })];
    expect(rank(others, { region: "eu", zone: "a" }, { b: 90, c: 1 })).toEqual(["b#1", "c#1"]);
    expect(rank([entry("b", { zone: "a" }), entry("c", {})], { zone: "a" }, { b: 1, c: 90 })).toEqual(["c#1", "b#1"]);
    expect(rank([entry("b", {}), entry("c", {})], {}, { b: 90, c: 20 })).toEqual(["c#1", "b#1"]);
  });

  it("are near, where that is more than noise", () => {
    const others = [entry("b"), entry("c"), entry("d")];
    expect(rank(others, {}, { b: 80, c: 20, d: 200 })).toEqual(["c#1", "b#1", "d#1"]);
    const noisy = Array.from({ length: 50 }, (_, i) => rank(others, {}, { b: 0.3, c: 4, d: 1.7 }, `room/${i}`)[0]);
    expect(new Set(noisy)).toEqual(new Set(["b#1", "c#1", "d#1"]));
  });

  it("can hold it: not cordoned, connected, and with its kind", () => {
    const others = [entry("b", {}, { cordoned: true }), entry("c", {}, { kinds: { other: 1 } }), entry("d"), entry("self")];
    expect(rank(others, {}, { d: Number.POSITIVE_INFINITY })).toEqual([]);
    expect(rank(others)).toEqual(["d#1"]);
  });

  it.each([4, 9])("are spread evenly over %i equals, and keep their order when another comes", (count) => {
    const others = Array.from({ length: count }, (_, i) => entry(`node-${i + 1}`));
    const more = [...others, entry("node-0")];
    const first = new Map<string, number>();
    const second = new Map<string, number>();
    for (let i = 0; i < 1_000; i++) {
      const ranked = rank(others, {}, {}, `room/s${i}`);
      first.set(ranked[0] ?? "", (first.get(ranked[0] ?? "") ?? 0) + 1);
      second.set(ranked[1] ?? "", (second.get(ranked[1] ?? "") ?? 0) + 1);
      expect(rank(more, {}, {}, `room/s${i}`).filter((ref) => ref !== "node-0#1")).toEqual(ranked);
    }
    for (const counts of [first, second]) {
      expect(counts.size).toBe(count);
      expect(Math.max(...counts.values())).toBeLessThan((1_000 / count) * 1.5);
    }
  });
});
