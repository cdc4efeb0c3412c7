import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Advice, FIGURES } from "@sojourn/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderAdvice } from "../advise/render.js";
import { runCommandLine } from "../command-line/run.js";
import { advise } from "./advise.js";

const SMALL = ["--size", "5kb", "--moves", "120/s", "--turns", "20/s", "--durability", "strong", "--sessions", "1M", "--memory", "64GB"];

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "sojourn-advise-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const file = (name: string, content: string) => {
  writeFileSync(join(cwd, name), content);
  return name;
};

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {}, cwd };
  const code = await runCommandLine([advise], "1.2.3", ["advise", ...args], io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

test("says what to take, and when that is not what this version runs", async () => {
  const args = ["--size", "5mb", "--moves", "1/s", "--turns", "36/h", "--durability", "eventual", "--sessions", "1k"];
  const { out } = await run(...args);
  expect(out).toContain("Take snapshot.");
  const advice: Advice = JSON.parse((await run(...args, "--json")).out);
  const text = renderAdvice({ ...advice, bestRunnable: "hybrid", runnable: ["replica", "hybrid"] }, FIGURES, "");
  expect(text).toContain("snapshot suits best. This version runs replica and hybrid, of which hybrid is best.");
});

test("takes moves of each session", async () => {
  const { out } = await run("--size", "5kb", "--turns", "1/s", "--moves", "36/h/session", "--sessions", "10k", "--json");
  expect(JSON.parse(out).workload.movesPerSec).toBeCloseTo(100);
});

test("takes one's own prices, flat, nested, or as the bench prints them", async () => {
  const files = [
    file("flat.json", '{ "network.usdPerGb": 0.02 }'),
    file("nested.json", '{ "network": { "usdPerGb": 0.02 } }'),
    file("bench.json", '{ "bench": "costs", "figures": { "network.usdPerGb": 0.02 }, "disk": { "appendMs": 1 } }'),
  ];
  for (const prices of files) {
    const { out } = await run(...SMALL, "--prices", prices, "--json");
    expect(JSON.parse(out).best).toBe("hybrid");
  }
});

test("lists its figures with where they come from", async () => {
  const { code, out } = await run("--figures");
  expect(code).toBe(0);
  expect(out).toMatch(/^ram\.usdPerGbMonth +4\.6 +published +\S/m);
  expect(JSON.parse((await run("--figures", "--json")).out)["disk.appendMs"]).toMatchObject({ basis: "measured" });
});

test.each([
  [["--size", "5kb"], "--turns and --moves are missing"],
  [["--size", "5kb", "--turns", "1/s"], "--moves is missing"],
  [["--size", "5", "--turns", "1/s", "--moves", "1/s"], "did you mean 5b?"],
  [["--size", "5kb", "--turns", "1/s", "--moves", "1/s", "--durability", "strog"], "did you mean strong?"],
  [["--sise", "5kb"], "did you mean --size?"],
  [["--size", "5kb", "--prices", "none.json"], "--prices none.json cannot be read"],
])("%j is wrong", async (args, says) => {
  const { code, err } = await run(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});

test.each([
  ['{ "ram.usdPerGbMonht": 3 }', 'did you mean "ram.usdPerGbMonth"?'],
  ['{ "ram.usdPerGbMonth": "3" }', "must be a number from 0 up"],
  ["[]", "must hold a JSON object"],
])("prices %s are wrong", async (content, says) => {
  const { code, err } = await run(...SMALL, "--prices", file("wrong.json", content));
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});
