import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCluster, type LocalNode, type NodeProcessEvent, startLocalCluster } from "@sojourn/cli";
import type { Limits } from "@sojourn/core";
import { DirectoryRunner } from "./directory-runner.js";
import { Switchboard } from "./switchboard.js";
import { betweenNodes, freePort, layWire, type Wire } from "./wire.js";

/** What the cluster of a chaos run is made of. */
export interface ChaosClusterOptions {
  readonly nodes: readonly string[];
  /** Module with the session definitions; see `startLocalCluster`. */
  readonly module: string;
  readonly limits: Partial<Limits>;
  readonly onEvent: (nodeId: string, event: NodeProcessEvent) => void;
}

/** The name of the directory on the switchboard. */
export const DIRECTORY = "directory";

/**
 * Node processes and a directory process on this machine, with a proxy on each way between any two of them. Clients connect to the nodes
 * directly.
 */
export class ChaosCluster {
  readonly switchboard = new Switchboard();
  readonly directory: DirectoryRunner;
  readonly ids: readonly string[];
  readonly #options: ChaosClusterOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "sojourn-chaos-"));
  readonly #wires: Wire[] = [];
  #cluster: LocalCluster | null = null;

  private constructor(options: ChaosClusterOptions) {
    this.#options = options;
    this.ids = options.nodes;
    this.directory = new DirectoryRunner(this.#folder, options.limits);
  }

  /** @throws SojournError (rejects) what kept it from starting; nothing is left running then */
  static async start(options: ChaosClusterOptions): Promise<ChaosCluster> {
    const cluster = new ChaosCluster(options);
    try {
      await cluster.#open();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async #open(): Promise<void> {
    await this.directory.start();
    const wiring = new Map<string, { directoryEndpoint: string; control: { port: number; advertisePort: number } }>();
    for (const id of this.ids) {
      const port = await freePort();
      const control = await this.#lay(port, betweenNodes);
      const directory = await this.#lay(this.directory.port, () => ({ from: id, to: DIRECTORY }));
      wiring.set(id, { directoryEndpoint: `127.0.0.1:${directory.port}`, control: { port, advertisePort: control.port } });
    }
    const { module, limits, onEvent } = this.#options;
    this.#cluster = await startLocalCluster({
      nodes: this.ids.map((id) => ({ id })),
      module,
      limits,
      directoryEndpoint: this.directory.endpoint,
      wiring: (id) => wiring.get(id) ?? {},
      onEvent,
    });
  }

  async #lay(...[target, identify]: [number, Parameters<typeof layWire>[2]]): Promise<Wire> {
    const wire = await layWire(this.switchboard, target, identify);
    this.#wires.push(wire);
    return wire;
  }

  /** The nodes whose processes run. */
  get nodes(): readonly LocalNode[] {
    return this.#cluster?.nodes ?? [];
  }

  node(id: string): LocalNode {
    if (this.#cluster === null) throw new Error("the cluster has not started");
    return this.#cluster.node(id);
  }

  /** Starts a node whose process has ended. */
  async startNode(id: string): Promise<void> {
    await this.#cluster?.start({ id });
  }

  async stop(): Promise<void> {
    this.switchboard.heal();
    this.directory.signal("SIGCONT");
    for (const node of this.nodes) signal(node.pid, "SIGCONT");
    await this.#cluster?.stop();
    await this.directory.kill();
    await Promise.all(this.#wires.map((wire) => wire.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Signals a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
