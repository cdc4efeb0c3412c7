import { spawn } from "node:child_process";

/** How a command ended. */
export interface Ran {
  readonly code: number | null;
  /** What it printed, by lines. */
  readonly lines: string[];
  /** What it said on the side. */
  readonly said: string;
}

/** Runs a script with Node.js until it ends. */
export function runScript(script: string, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, lines: printed.trimEnd().split("\n"), said })));
}
