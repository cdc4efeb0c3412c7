import { spawn } from "node:child_process";

/**
 * Runs a command in its own process group and waits for its end; when the limit passes, the whole group is killed.
 * @param {readonly string[]} args arguments to this same Node.js
 * @param {{ cwd: string, limitMs: number, capture?: boolean, env?: NodeJS.ProcessEnv }} options `capture` keeps standard output instead of showing it
 * @returns {Promise<{ code: number | null, timedOut: boolean, stdout: string }>}
 */
export function runNode(args, { cwd, limitMs, capture = false, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env,
      detached: process.platform !== "win32",
      stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"],
    });
    let stdout = "";
    let timedOut = false;
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    const stop = () => killGroup(child);
    const limit = setTimeout(() => {
      timedOut = true;
      stop();
    }, limitMs);
    const onSignal = (signal) => {
      stop();
      process.exit(signal === "SIGINT" ? 130 : 143);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    const settle = () => {
      clearTimeout(limit);
      stop(); // what the command left running would disturb the next one
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    // "exit", not "close": a process that was left behind may hold the output open for ever.
    child.once(capture ? "close" : "exit", (code) => {
      settle();
      resolve({ code, timedOut, stdout });
    });
  });
}

function killGroup(child) {
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
