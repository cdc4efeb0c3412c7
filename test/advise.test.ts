import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sojourn } from "./cli/command-line.js";

const SMALL = ["--size", "5kb", "--moves", "120/s", "--turns", "20/s", "--durability", "strong", "--sessions", "1M", "--memory", "64GB"];

describe("sojourn advise on given numbers", () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), "sojourn-advise-"));
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  test("ranks all strategies side by side, says why and what would change the answer", async () => {
    const { code, out, err } = await sojourn(["advise", ...SMALL], cwd);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ +1 replica +2 hybrid +- snapshot$/m);
    expect(out).toMatch(/^this version runs it +yes +not yet +not yet$/m);
    for (const row of ["blackout of a move", "back after", "memory", "written to the store", "network", "money a month"]) {
      expect(out).toMatch(new RegExp(`^${row}.* {2}.*\\d`, "m"));
    }
    expect(out).toContain("Take replica.");
    expect(out).toContain("strong is refused");
    expect(out).toMatch(/What would change the answer[\s\S]*memory 50 GB or less instead of 64 GB: hybrid/);
    expect(out).toMatch(/Assumed, not measured[\s\S]*network\.rttMs = 1/);
  });

  test("gives programs everything", async () => {
    const { code, out } = await sojourn(["advise", ...SMALL, "--json"], cwd);
    expect(code).toBe(0);
    const advice = JSON.parse(out);
    expect(advice).toMatchObject({
      best: "replica",
      bestRunnable: "replica",
      runnable: ["replica"],
      workload: { stateBytes: 5_000, movesPerSec: 120, sessions: 1_000_000, memoryBytes: 64e9 },
      ranking: [{ strategy: "replica", feasible: true }, { strategy: "hybrid" }, { strategy: "snapshot", feasible: false }],
    });
    expect(advice.ranking[0].estimate.memoryBytes).toMatchObject({ value: expect.any(Number), basis: "assumed" });
    expect(advice.flips[0]).toMatchObject({ input: "sessions", becomes: "hybrid" });
  });

  test("says what is wrong with its options", async () => {
    const { code, err } = await sojourn(["advise", "--size", "5", "--turns", "1/s", "--moves", "1/s"], cwd);
    expect([code, err]).toEqual([2, expect.stringContaining("did you mean 5b?")]);
  });
});
