import { describe, expect, it } from "vitest";
import { judgeDeterminism, judgeHunt } from "./sim-suite.mjs";
import { sum, summaryLine } from "./tally.mjs";

const hunt = (code, report) => summaryLine(sum(judgeHunt(report === null ? null : { code, report })));

describe("the simulator's checks", () => {
  it("count promises and what was reached", () => {
    expect(hunt(0, { violations: 0, unreached: [] })).toBe("2 passed, 0 failed, 0 skipped");
    expect(hunt(0, { violations: 0, unreached: ["case 9"] })).toBe("2 passed, 0 failed, 0 skipped");
    expect(hunt(1, { violations: 0, unreached: ["case 9"] })).toBe("1 passed, 1 failed, 0 skipped");
    expect(hunt(1, { violations: 3, firstFailingSeed: 7, unreached: [] })).toBe("1 passed, 1 failed, 0 skipped");
  });

  it("say how to see a seed again", () => {
    const [kept] = judgeHunt({ code: 1, report: { violations: 3, firstFailingSeed: 7, unreached: [] } });
    expect(kept.reasons[0]).toContain("npm run sim -- --replay 7");
  });

  it("fail when there is no report", () => {
    expect(hunt(1, null)).toBe("0 passed, 1 failed, 0 skipped");
    expect(judgeHunt({ code: 1, report: null })[0].failed).toBe(1);
    expect(judgeDeterminism(null).failed).toBe(1);
  });

  it("fail when seeds run differently", () => {
    expect(judgeDeterminism({ code: 0, report: { differing: [] } }).passed).toBe(1);
    expect(judgeDeterminism({ code: 1, report: { differing: [4] } }).reasons[0]).toContain("4");
  });
});
