import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runScript } from "./support/run-script.js";

const SIM = fileURLToPath(new URL("../packages/testkit/dist/sim/command/main.js", import.meta.url));

/** Runs the command and gives its exit code and what it printed. */
const sim = (...args: string[]) => runScript(SIM, args);

const last = (lines: readonly string[]) => JSON.parse(lines.at(-1) ?? "");

describe("npm run sim", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sojourn-sim-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("runs seeds and reports", async () => {
    const { code, lines, said } = await sim("--seeds", "6", "--first", "2", "--json");
    expect(code, `${lines.join("\n")}\n${said}`).toBe(0);
    expect(last(lines)).toMatchObject({ command: "sim", seeds: 6, firstSeed: 2, lastSeed: 7, violations: 0, firstFailingSeed: null });
    expect(Object.keys(last(lines))).toEqual(
      expect.arrayContaining(["virtualHours", "timesRealTime", "handovers", "failovers", "unreached", "faults", "interleavings"]),
    );
  });

  it("gives the same trace whatever the number of workers", async () => {
    const [one, three] = [await sim("--seeds", "5", "--jobs", "1", "--json"), await sim("--seeds", "5", "--jobs", "3", "--json")];
    expect(last(three.lines).traceHash).toBe(last(one.lines).traceHash);
  });

  it("compares two processes", async () => {
    const { code, lines } = await sim("--determinism", "5", "--json");
    expect(code).toBe(0);
    expect(last(lines)).toMatchObject({ seeds: 5, differing: [] });
  });

  it("replays a seed with all that happened", async () => {
    const { code, lines } = await sim("--replay", "3", "--session", "s0");
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^seed {7}3 at commit /);
    expect(lines.some((line) => /writes claim: swarm\/s0/.test(line))).toBe(true);
    expect(lines.some((line) => /swarm\/s1/.test(line))).toBe(false);
    expect(lines.at(-1)).toBe("every promise was kept");
  });

  it("shrinks a plan that goes wrong and runs what is left", async () => {
    const [whole, small] = [join(folder, "whole.json"), join(folder, "small.json")];
    const plan = {
      seed: 2,
      nodes: 3,
      newer: [],
      limits: { standbys: 1, leaseTtlMs: 2_000 },
      clientLimits: {},
      network: { latencyMs: 1, jitterMs: 0, loss: 0, duplication: 0, reordering: 0, corruption: 0 },
      directory: { delayMs: 1, appendMs: 0, lostAnswers: 0, lateWrites: 0 },
      rates: [],
      sessions: [{ clients: 2, talkMs: 500, home: 0 }],
      activeMs: 5_000,
      faults: [],
      workloads: [],
    };
    // A node that is not there ends the run.
    const wrong = { atMs: 3_000, do: "pause", node: -1, forMs: 10 };
    const events = [{ atMs: 1_000, do: "burst", session: 0, amount: 3 }, wrong, { atMs: 4_000, do: "move", session: 0, node: 1 }];
    writeFileSync(whole, JSON.stringify({ ...plan, events }));
    const { code, lines } = await sim("--plan", whole, "--shrink", "--out", small, "--json");
    expect(code).toBe(1);
    expect(last(lines)).toMatchObject({ command: "sim", smallest: true });
    expect(JSON.parse(readFileSync(small, "utf8"))).toMatchObject({ sessions: [{ clients: 1 }], events: [{ do: "pause", node: -1 }] });
    const again = await sim("--plan", small);
    expect(again.code).toBe(1);
    expect(again.lines.some((line) => line.startsWith("PROBLEM the run ended with"))).toBe(true);
  });

  it.each([[["--seeds", "none"]], [["--what"]], [["--shrink"]], [["--plan", "/nowhere/at/all.json"]], [["--mutations", "--what"]]])(
    "ends with 2 for %j",
    async (args) => {
      const { code, said } = await sim(...args);
      expect(code).toBe(2);
      expect(said).toContain("E_CONFIG_INVALID");
    },
  );
});
