import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../examples/roaming/dist/main.js", import.meta.url));

interface Report {
  readonly command: string;
  readonly moves: number;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly blackoutMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly movesPerSec: number;
  readonly audited: number;
  readonly evacuated: number;
  readonly faults: readonly string[];
}

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** Starts the demonstration. `onLine` hears each line it prints. */
function start(args: readonly string[], onLine: (line: string) => void = () => undefined) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  const lines: string[] = [];
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    onLine(line);
  });
  const ended = new Promise<{ code: number | null; lines: readonly string[]; said: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, lines, said })),
  );
  return { child, ended };
}

function pidsIn(line: string): Map<string, number> {
  return new Map([...line.matchAll(/([a-z]{2,3}-\d) (\d+)/g)].map(([, node = "", pid]) => [node, Number(pid)]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function reportOf(lines: readonly string[]): Report {
  return JSON.parse(lines.at(-1) ?? "") as Report;
}

const CLEAN = { command: "start", lost: 0, doubled: 0, reordered: 0, faults: [] };

describe("npm start", () => {
  test("moves sessions after their users and loses nothing", async () => {
    const { code, lines, said } = await start(["--for", "5s", "--clients", "20", "--json"]).ended;
    const report = reportOf(lines);
    expect(report, said).toMatchObject({ ...CLEAN, audited: 20, evacuated: 0 });
    expect(code).toBe(0);
    expect(report.moves).toBeGreaterThan(10);
    expect(report.messages).toBeGreaterThan(100);
    expect(report.movesPerSec).toBeGreaterThan(0);
    expect(report.blackoutMs.p50).toBeGreaterThan(0);
    expect(report.blackoutMs.p99).toBeGreaterThanOrEqual(report.blackoutMs.p50);
  });

  test("evacuates a node that gets SIGTERM and goes on with the others", async () => {
    let pids = new Map<string, number>();
    let lines = 0;
    const { ended } = start(["--for", "8s", "--clients", "20", "--json"], (line) => {
      if (line.startsWith("pids:")) pids = pidsIn(line);
      else if (pids.size > 0 && ++lines === 3) process.kill(pids.get("iad-1") ?? 0, "SIGTERM");
    });
    const { code, lines: printed, said } = await ended;
    expect(reportOf(printed), said).toMatchObject({ ...CLEAN, audited: 20 });
    expect(code).toBe(0);
    expect(pids.size).toBe(3);
    expect(printed.some((line) => line.includes("iad-1 was told to leave"))).toBe(true);
    expect(printed.some((line) => /iad-1 has moved its \d+ sessions away$/.test(line))).toBe(true);
    expect([...pids.values()].filter(isAlive)).toEqual([]);
  });

  test("ends with a report on SIGINT, and leaves no process behind", async () => {
    let pids = new Map<string, number>();
    let lines = 0;
    const { child, ended } = start(["--clients", "5", "--json"], (line) => {
      if (line.startsWith("pids:")) pids = pidsIn(line);
      else if (pids.size > 0 && ++lines === 2) child.kill("SIGINT");
    });
    const { code, lines: printed, said } = await ended;
    expect(reportOf(printed), said).toMatchObject({ ...CLEAN, audited: 5 });
    expect(code).toBe(0);
    expect([...pids.values()].filter(isAlive)).toEqual([]);
  });

  test.each([
    [["--frob"], "--frob"],
    [["--for", "soon"], "--for"],
    [["--traces", "no/such/folder"], "no/such/folder"],
  ])("refuses %j with a named error", async (args, named) => {
    const { code, said } = await start(args).ended;
    expect(code).toBe(2);
    expect(said).toMatch(/^E_CONFIG_INVALID: /);
    expect(said).toContain(named);
  });
});
