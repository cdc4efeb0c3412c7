import { describe, expect, it } from "vitest";
import { drawPlan } from "../swarm/draw-plan.js";
import { failureLines, planLines, timelineLines } from "./describe-run.js";

const TIMELINE = [
  { atMs: 1, text: "swarm/s1 handles say" },
  { atMs: 2_500, text: "a starts" },
  { atMs: 3, text: "swarm/s12 handles say" },
];

describe("a run, for people", () => {
  it("shows one session with what concerns none", () => {
    expect(timelineLines(TIMELINE)).toHaveLength(3);
    expect(timelineLines(TIMELINE, "swarm/s1")).toEqual(["    0.001  swarm/s1 handles say", "    2.500  a starts"]);
  });

  it("says of a failure how to see it again", () => {
    const lines = failureLines({ seed: 7, problems: ["I1: two owners"], timeline: TIMELINE }, "abc");
    expect(lines[0]).toBe("seed 7 at commit abc; to see all of it: npm run sim -- --replay 7");
    expect(lines).toContain("  I1: two owners");
    expect(lines).toHaveLength(6);
  });

  it("sums a plan up", () => {
    const lines = planLines(drawPlan(1)).join("\n");
    for (const word of ["nodes", "sessions", "faults", "network", "events"]) expect(lines).toContain(word);
  });
});
