import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runNode } from "./run-command.mjs";
import { oneFailed, sum, tallyVitest } from "./tally.mjs";

/** Runs vitest with one configuration and counts its tests. */
export async function runVitest(root, config, limitMs) {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-test-"));
  const output = join(folder, "report.json");
  try {
    const { code, timedOut } = await runNode(
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--config",
        config,
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${output}`,
      ],
      { cwd: root, limitMs },
    );
    const tally = tallyVitest(readReport(output), code);
    return timedOut ? sum([tally, oneFailed(`stopped after ${Math.round(limitMs / 1000)} s`)]) : tally;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null; // vitest ended before it could write
  }
}
