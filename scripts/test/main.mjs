// Everything that must hold before a change is done. Runs all suites, then prints one line: N passed, N failed, N skipped.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentProblem } from "../environment.mjs";
import { checkReadme } from "./readme-suite.mjs";
import { runNode } from "./run-command.mjs";
import { runSimulator } from "./sim-suite.mjs";
import { oneFailed, onePassed, sum, summaryLine } from "./tally.mjs";
import { runVitest } from "./vitest-suite.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MINUTE_MS = 60_000;
/** The whole run has to end within 25 minutes on two cores. */
const deadline = Date.now() + 24 * MINUTE_MS;

const tool = (path) => join(root, "node_modules", path);

const SUITES = [
  { name: "build", limitMs: 4 * MINUTE_MS, run: (limitMs) => check(limitMs, ["scripts/ensure-built.mjs"]) },
  { name: "programs", limitMs: 6 * MINUTE_MS, run: (limitMs) => check(limitMs, ["scripts/setup-system.mjs"]) },
  {
    name: "types of tests",
    limitMs: 4 * MINUTE_MS,
    run: (limitMs) => check(limitMs, [tool("typescript/bin/tsc"), "-p", "tsconfig.tests.json"]),
  },
  {
    name: "lint",
    limitMs: 2 * MINUTE_MS,
    run: (limitMs) => check(limitMs, [tool("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "."]),
  },
  { name: "tidy", limitMs: 2 * MINUTE_MS, run: (limitMs) => check(limitMs, ["scripts/tidy/main.mjs"]) },
  { name: "unit tests", limitMs: 10 * MINUTE_MS, run: (limitMs) => runVitest(root, "vitest.config.ts", limitMs) },
  { name: "simulator", limitMs: 12 * MINUTE_MS, run: (limitMs) => runSimulator(root, limitMs) },
  { name: "process tests", limitMs: 15 * MINUTE_MS, run: (limitMs) => runVitest(root, "vitest.process.config.ts", limitMs) },
  { name: "README commands", limitMs: 3 * MINUTE_MS, run: () => checkReadme(root) },
];

/** One check made of several commands: it passes when every one of them does. */
async function check(limitMs, ...commands) {
  const reasons = [];
  for (const args of commands) {
    const { code, timedOut } = await runNode(args, { cwd: root, limitMs });
    const shown = args.map((arg) => arg.replace(root, "")).join(" ");
    if (timedOut) reasons.push(`${shown} was stopped after ${Math.round(limitMs / 1000)} s`);
    else if (code !== 0) reasons.push(`${shown} ended with ${code}`);
  }
  return reasons.length === 0 ? onePassed() : oneFailed(reasons.join("; "));
}

async function runSuite({ name, limitMs, run }) {
  console.log(`\n=== ${name}`);
  const started = Date.now();
  const left = deadline - started;
  const tally =
    left <= 0 ? oneFailed("no time was left for it") : await run(Math.min(limitMs, left)).catch((error) => oneFailed(error.message));
  return { name, seconds: (Date.now() - started) / 1000, tally };
}

const problem = environmentProblem(root, existsSync);
if (problem !== null) console.error(problem);
const results = [];
for (const suite of problem === null ? SUITES : []) results.push(await runSuite(suite));

console.log("");
for (const { name, seconds, tally } of results) {
  console.log(`${tally.failed === 0 ? "ok    " : "FAILED"} ${name.padEnd(16)} ${summaryLine(tally)} (${seconds.toFixed(1)} s)`);
  for (const reason of tally.reasons) console.log(`         ${reason}`);
}
const total = problem === null ? sum(results.map(({ tally }) => tally)) : oneFailed(problem);
console.log(`\n${summaryLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
