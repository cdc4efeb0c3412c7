import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SojournError } from "@sojourn/core";
import { DirectoryRunner } from "../directory-runner.js";
import type { FromNode, StartNode } from "./node-messages.js";

const ENTRY = fileURLToPath(new URL("./node-main.js", import.meta.url));

/** What a node told. */
export type Incident = Extract<FromNode, { t: "incident" }>;

/** A directory and nodes in processes of their own over one store on disk; the nodes are killed and started again all at once. */
export class KilledCluster {
  readonly #folder: string;
  readonly #directory: DirectoryRunner;
  readonly #ids: readonly string[];
  readonly #leaseTtlMs: number;
  readonly #onIncident: (incident: Incident) => void;
  readonly #ports = new Map<string, number>();
  #running: { readonly child: ChildProcess; readonly exited: Promise<void> }[] = [];

  private constructor(nodes: number, leaseTtlMs: number, onIncident: (incident: Incident) => void) {
    this.#folder = mkdtempSync(join(tmpdir(), "sojourn-kills-"));
    this.#directory = new DirectoryRunner(join(this.#folder, "directory"), {});
    this.#ids = Array.from({ length: nodes }, (_, i) => `node-${i + 1}`);
    this.#leaseTtlMs = leaseTtlMs;
    this.#onIncident = onIncident;
  }

  /** @throws SojournError (rejects) `E_DISK`, `E_CONFIG_INVALID` when a process does not start; nothing is left then */
  static async start(nodes: number, leaseTtlMs: number, onIncident: (incident: Incident) => void): Promise<KilledCluster> {
    const cluster = new KilledCluster(nodes, leaseTtlMs, onIncident);
    try {
      await cluster.#directory.start();
      await cluster.startNodes();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** Where clients come to, the same over all lives. */
  get endpoints(): string[] {
    return this.#ids.map((id) => `ws://127.0.0.1:${this.#ports.get(id)}`);
  }

  async startNodes(): Promise<void> {
    await Promise.all(this.#ids.map((id) => this.#startNode(id)));
  }

  async #startNode(id: string): Promise<void> {
    const child = fork(ENTRY, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.#running.push({ child, exited });
    let reason = "it ended";
    const ready = new Promise<void>((resolve) => {
      child.on("message", (message: FromNode) => {
        if (message.t === "incident") this.#onIncident(message);
        else if (message.t === "failed") reason = message.message;
        else {
          this.#ports.set(id, message.port);
          resolve();
        }
      });
    });
    const start: StartNode = {
      id,
      directory: this.#directory.endpoint,
      store: join(this.#folder, "store"),
      port: this.#ports.get(id) ?? 0,
      leaseTtlMs: this.#leaseTtlMs,
    };
    child.send(start);
    const died = exited.then(() => Promise.reject(new SojournError("E_CONFIG_INVALID", `${id} did not start: ${reason}`)));
    await Promise.race([ready, died]);
  }

  /** `kill -9` of every node, as nearly at once as can be. */
  async killNodes(): Promise<void> {
    const dying = this.#running.splice(0);
    for (const { child } of dying) child.kill("SIGKILL");
    await Promise.all(dying.map(({ exited }) => exited));
  }

  async close(): Promise<void> {
    await this.killNodes();
    await this.#directory.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
