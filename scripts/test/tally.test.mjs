import { describe, expect, it } from "vitest";
import { oneFailed, onePassed, sum, summaryLine, tallyVitest } from "./tally.mjs";

const report = (numbers, testResults = []) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults,
  ...numbers,
});
const file = (status, assertions = [], message = "") => ({ name: "a.test.ts", status, message, assertionResults: assertions });

describe("summary", () => {
  it("adds up in the fixed form", () => {
    const total = sum([onePassed(), oneFailed("x"), { passed: 3, failed: 0, skipped: 2, reasons: [] }]);
    expect(summaryLine(total)).toBe("4 passed, 1 failed, 2 skipped");
    expect(total.reasons).toEqual(["x"]);
    expect(summaryLine(sum([]))).toBe("0 passed, 0 failed, 0 skipped");
  });
});

describe("tallyVitest", () => {
  it("counts tests, with skipped and planned ones as skipped", () => {
    const tally = tallyVitest(report({ numPassedTests: 5, numPendingTests: 2, numTodoTests: 1 }, [file("passed")]), 0);
    expect(summaryLine(tally)).toBe("5 passed, 0 failed, 3 skipped");
  });

  it("names each failed test", () => {
    const assertions = [
      { status: "passed", fullName: "fine" },
      { status: "failed", fullName: "broken" },
    ];
    const tally = tallyVitest(report({ numPassedTests: 1, numFailedTests: 1 }, [file("failed", assertions)]), 1);
    expect(tally).toMatchObject({ passed: 1, failed: 1, reasons: ["a.test.ts: broken"] });
  });

  it("counts a file that could not run", () => {
    const hookFailed = file("failed", [{ status: "skipped", fullName: "x" }], "beforeAll broke\nat …");
    const tally = tallyVitest(report({ numPassedTests: 1, numPendingTests: 1 }, [hookFailed, file("failed")]), 1);
    expect(tally).toMatchObject({ passed: 1, failed: 2, skipped: 1 });
    expect(tally.reasons).toEqual(["a.test.ts: beforeAll broke", "a.test.ts: the file could not run"]);
  });

  it.each([
    ["no report", null, 0, "vitest wrote no report"],
    ["no test", report({}), 0, "no test ran"],
    ["only skipped tests", report({ numPendingTests: 4 }), 0, "no test ran"],
    ["an error outside of tests", report({ numPassedTests: 1 }), 1, "vitest ended with 1 although no test failed"],
    ["a killed run", report({ numPassedTests: 1 }), null, "vitest ended with null although no test failed"],
  ])("counts %s as a failure", (_, given, exitCode, reason) => {
    expect(tallyVitest(given, exitCode)).toMatchObject({ failed: 1, reasons: [reason] });
  });
});
