import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runScript } from "./support/run-script.js";

const SCRIPT = fileURLToPath(new URL("../packages/testkit/dist/chaos/kills/main.js", import.meta.url));

/** Runs the command and gives its exit code and what it printed. */
const run = (...args: string[]) => runScript(SCRIPT, args);

test("kills: after each kill of all nodes every session is back with what it promises to keep", async () => {
  const { code, lines, said } = await run("--rounds", "2", "--sessions", "2", "--json");
  const report = JSON.parse(lines.at(-1) ?? "");
  const clean = { command: "kills", rounds: 2, sessions: 6, lost: 0, doubledOrReordered: 0, problems: [] };
  expect(report, `${lines.join("\n")}\n${said}`).toMatchObject(clean);
  expect(report.kinds).toMatchObject({ strong: { back: 4, lost: 0 }, eventual: { back: 4 }, snapshot: { back: 4 } });
  expect(report.messages).toBeGreaterThan(50);
  expect(code).toBe(0);
});

test("kills: a wrong option is refused by name", async () => {
  const { code, said } = await run("--rounds", "none");
  expect(code).toBe(2);
  expect(said).toContain("--rounds must be a whole number");
});
