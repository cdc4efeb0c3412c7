import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@sojourn/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dev, sojourn } from "./cli/command-line.js";
import type { counter } from "./cli/counter.js";

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
    expect(out).toMatch(/^this version runs it +yes +yes +yes$/m);
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
      runnable: ["replica", "hybrid", "snapshot"],
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

describe("sojourn profile and advise on a running cluster", () => {
  let cwd: string;
  let dev: Dev;
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "sojourn-profile-"));
    dev = new Dev([fileURLToPath(new URL("./cli/counter.ts", import.meta.url))], cwd);
    const { nodes } = await dev.event("ready");
    const endpoints = (nodes as { clientEndpoint: string }[]).map(({ clientEndpoint }) => clientEndpoint);
    const client = await connect<typeof counter>({ endpoints, session: "counter/busy" });
    for (let tag = 1; tag <= 50; tag++) await client.call.add(tag);
    const { owner } = JSON.parse((await sojourn(["where", "counter/busy", "--json"], cwd)).out);
    const other = ["node-1", "node-2"].find((id) => id !== owner) ?? "";
    expect((await sojourn(["move", "counter/busy", other], cwd)).code).toBe(0);
    await client.close();
  });
  afterAll(() => {
    dev.child.kill("SIGKILL");
    rmSync(cwd, { recursive: true, force: true });
  });

  test("shows what sessions are like, to people and to programs", async () => {
    const { code, out } = await sojourn(["profile", "--json"], cwd);
    expect(code).toBe(0);
    const { kinds, silent } = JSON.parse(out);
    expect(silent).toEqual([]);
    expect(kinds).toMatchObject([{ kind: "counter", durability: "strong", sessions: 1, moves: 1, blackoutMs: { count: 1 } }]);
    expect(kinds[0].turns).toBeGreaterThanOrEqual(50);
    expect(kinds[0].deltaBytes.count).toBeGreaterThan(0);
    const text = (await sojourn(["profile", "--kind", "counter"], cwd)).out;
    expect(text).toMatch(/^counter +strong +1 /m);
    expect(text).toMatch(/^blackout of a move +[\d.]+ (?:µs|ms)/m);
    expect(text).toMatch(/Change of a turn\n.* – .* % +█/);
    expect((await sojourn(["profile", "--kind", "none"], cwd)).err).toContain("E_KIND_UNKNOWN");
  });

  test("advises on each kind, with what is given in the place of what was measured", async () => {
    const { code, out } = await sojourn(["advise", "--sessions", "10k", "--delta", "60b", "--json"], cwd);
    expect(code).toBe(0);
    // Its size may not be known before the first window has ended.
    const { kinds } = JSON.parse(out);
    expect(kinds).toMatchObject([{ kind: "counter" }]);
    const sized = await sojourn(["advise", "--kind", "counter", "--memory", "1GB"], cwd);
    expect(sized.out).toContain("Advice on counter, as measured");
  });
});
