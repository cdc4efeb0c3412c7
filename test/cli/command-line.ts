import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/sojourn.js", import.meta.url));

/** How a finished command ended. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `sojourn` to its end. */
export async function sojourn(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, ...env } });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  const [code] = await once(child, "close");
  return { code, out, err };
}

/** An event of `sojourn dev --json`. */
export type DevEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** A running `sojourn dev --json`. */
export class Dev {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly events: DevEvent[] = [];
  readonly #waiting: { matches: (event: DevEvent) => boolean; resolve: (event: DevEvent) => void }[] = [];
  #err = "";

  constructor(args: readonly string[], cwd: string) {
    const child = spawn(process.execPath, [BIN, "dev", "--json", "--port", "0", ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    this.ended = once(child, "close").then(([code]) => code as number | null);
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#err += text;
    });
    createInterface(child.stdout).on("line", (line) => {
      const event = JSON.parse(line) as DevEvent;
      this.events.push(event);
      for (const waiting of this.#waiting) if (waiting.matches(event)) waiting.resolve(event);
    });
  }

  /** The first event of this kind that matches, past or to come. */
  event(name: string, matches: (event: DevEvent) => boolean = () => true): Promise<DevEvent> {
    const wanted = (event: DevEvent) => event.event === name && matches(event);
    const past = this.events.find(wanted);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ matches: wanted, resolve });
      void this.ended.then((code) =>
        reject(new Error(`sojourn dev ended with ${code} before "${name}": ${this.#err}${JSON.stringify(this.events)}`)),
      );
    });
  }
}
