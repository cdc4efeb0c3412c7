/** @typedef {{ passed: number, failed: number, skipped: number, reasons: string[] }} Tally */

/** @returns {Tally} one check that went well */
export const onePassed = () => ({ passed: 1, failed: 0, skipped: 0, reasons: [] });

/** @returns {Tally} one check that did not, with what a reader needs to know */
export const oneFailed = (reason) => ({ passed: 0, failed: 1, skipped: 0, reasons: [reason] });

/** @returns {Tally} */
export function sum(tallies) {
  const total = { passed: 0, failed: 0, skipped: 0, reasons: [] };
  for (const { passed, failed, skipped, reasons } of tallies) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    total.reasons.push(...reasons);
  }
  return total;
}

/** The last line of `npm test`. Programs read it: its form is fixed. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Reads vitest's JSON report. A suite that could not run, or ran nothing, is a failure.
 * @param {any} report the parsed report, or null when there is none
 * @param {number | null} exitCode of vitest
 * @returns {Tally}
 */
export function tallyVitest(report, exitCode) {
  if (report === null) return oneFailed("vitest wrote no report");
  const passed = report.numPassedTests;
  const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
  const reasons = [];
  for (const file of report.testResults) {
    if (file.status !== "failed") continue;
    const broken = file.assertionResults.filter((test) => test.status === "failed");
    for (const test of broken) reasons.push(`${file.name}: ${test.fullName}`);
    // A file that does not load, or whose hooks fail, has no failed test to count.
    if (broken.length === 0) reasons.push(`${file.name}: ${firstLine(file.message) || "the file could not run"}`);
  }
  if (passed + reasons.length === 0) reasons.push("no test ran");
  if (exitCode !== 0 && reasons.length === 0) reasons.push(`vitest ended with ${exitCode} although no test failed`);
  return { passed, failed: reasons.length, skipped, reasons };
}

function firstLine(text) {
  return (text ?? "").trim().split("\n")[0];
}
