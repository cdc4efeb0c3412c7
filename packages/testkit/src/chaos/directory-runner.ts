import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Limits, SojournError } from "@sojourn/core";
import type { FromDirectoryProcess, ToDirectoryProcess } from "./directory-messages.js";

const ENTRY = fileURLToPath(new URL("./directory-main.js", import.meta.url));
/** LMDB's two meta pages fit, and nothing behind them. */
const NO_ROOM_BYTES = 8_192;

/** The directory of a chaos run: one process after another over the same folder and port. */
export class DirectoryRunner {
  readonly #path: string;
  readonly #limits: Partial<Limits>;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #port = 0;

  constructor(path: string, limits: Partial<Limits>) {
    this.#path = path;
    this.#limits = limits;
  }

  get port(): number {
    return this.#port;
  }
  get endpoint(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts it unless it runs. @throws SojournError (rejects) `E_DISK` */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    // Its reasons come as messages; LMDB prints what it thinks of a full disk.
    let reason = "no reason was told";
    const child = fork(ENTRY, [], { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: [] });
    this.#child = child;
    this.#exited = new Promise((resolve) =>
      child.once("exit", () => {
        if (this.#child === child) this.#child = null;
        resolve();
      }),
    );
    const ready = new Promise<string>((resolve) =>
      child.on("message", (message: FromDirectoryProcess) => {
        if (message.t === "ready") resolve(message.endpoint);
        else reason = message.message;
      }),
    );
    const died = this.#exited.then(() => Promise.reject(new SojournError("E_DISK", `the directory's process could not start: ${reason}`)));
    this.#tell({ t: "start", path: this.#path, port: this.#port, limits: this.#limits });
    const endpoint = await Promise.race([ready, died]);
    this.#port = Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  slow(appendDelayMs: number): void {
    this.#tell({ t: "slow", appendDelayMs });
  }

  /** From now on nothing can be written. Resolves when the process has found that out and ended, or after `patienceMs`. */
  async fillDisk(patienceMs: number): Promise<boolean> {
    const pid = this.#child?.pid;
    if (pid === undefined) return false;
    const { status } = spawnSync("prlimit", ["--pid", String(pid), `--fsize=${NO_ROOM_BYTES}:`]);
    if (status !== 0) return false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs);
    });
    const ended = await Promise.race([this.#exited.then(() => true), late]);
    clearTimeout(timer);
    return ended;
  }

  #tell(message: ToDirectoryProcess): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }
}

/** Why a full disk cannot be had here; null when it can. */
export function whyNoFullDisk(): string | null {
  const { status, error } = spawnSync("prlimit", ["--version"]);
  return error === undefined && status === 0 ? null : "the program prlimit is not installed";
}
