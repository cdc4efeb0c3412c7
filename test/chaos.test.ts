import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runScript } from "./support/run-script.js";

const SCRIPT = fileURLToPath(new URL("../scripts/chaos.mjs", import.meta.url));

/** Runs the command and gives its exit code and what it printed. */
const run = (...args: string[]) => runScript(SCRIPT, args);

const CLEAN = { command: "chaos", lost: 0, doubled: 0, reordered: 0, unfinished: 0, sessionsLost: 0, problems: [] };

test("chaos: processes die, freeze, are cut off and restarted; every message arrives once and in order, every hand-over ends", async () => {
  const kinds = ["kill", "pause", "isolate", "cut", "oneWayCut", "rollingRestart", "directoryKill"];
  const args = ["--for", "25s", "--seed", "2", "--clients", "10", "--lease", "1500ms", "--faults", kinds.join(","), "--json"];
  const { code, lines, said } = await run(...args);
  const report = JSON.parse(lines.at(-1) ?? "");
  expect(report, `${lines.join("\n")}\n${said}`).toMatchObject(CLEAN);
  expect(code).toBe(0);
  expect(report.audited).toBe(10);
  expect(report.messages).toBeGreaterThan(500);
  expect(report.handovers).toBeGreaterThan(20);
  expect(Object.keys(report.faults).length).toBeGreaterThan(3);
  expect(report.outageMs).toEqual({ p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) });
});

test("chaos on the directory's disk: it is slow, full, and its process killed", async () => {
  const { code, lines, said } = await run("--for", "8s", "--clients", "5", "--lease", "1s", "--faults", "fullDisk,slowDisk", "--json");
  const report = JSON.parse(lines.at(-1) ?? "");
  expect(report, `${lines.join("\n")}\n${said}`).toMatchObject(CLEAN);
  expect(code).toBe(0);
});

test("chaos refuses a fault that there is not", async () => {
  const { code, said } = await run("--faults", "earthquake");
  expect(code).toBe(2);
  expect(said).toMatch(/^E_CONFIG_INVALID: .*earthquake/);
});
