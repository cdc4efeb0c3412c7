import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A Redis server of the test's own, on a socket in a folder of its own, with every write flushed before it is answered. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "sojourn-redis-"));
  #child: ChildProcess | null = null;

  get socket(): string {
    return join(this.#folder, "redis.sock");
  }

  async start(): Promise<void> {
    const args = ["--port", "0", "--unixsocket", this.socket, "--dir", this.#folder, "--save", ""];
    const child = spawn("redis-server", [...args, "--appendonly", "yes", "--appendfsync", "always"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once("error", (cause) => reject(new Error("redis-server does not start; `npm run process-tests` installs it", { cause })));
      child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
    });
    failed.catch(() => undefined);
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes("ready to accept connections")) resolve();
      });
    });
    await Promise.race([ready, failed]);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
