import { describe, expect, it } from "vitest";
import { runNode } from "./run-command.mjs";

const cwd = process.cwd();

describe("runNode", () => {
  it("hands back the exit code and what was printed", async () => {
    const result = await runNode(["-e", "console.log('out'); process.exitCode = 3"], { cwd, limitMs: 60_000, capture: true });
    expect(result).toEqual({ code: 3, timedOut: false, stdout: "out\n" });
  });

  it("kills the whole group when the limit passes", async () => {
    // The grandchild inherits the pipe, so "close" comes only when it is gone as well.
    const grandchild = "setInterval(() => {}, 1000)";
    const script = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { stdio: "inherit" }); ${grandchild}`;
    const result = await runNode(["-e", script], { cwd, limitMs: 1_000, capture: true });
    expect(result).toMatchObject({ code: null, timedOut: true });
  });
});
