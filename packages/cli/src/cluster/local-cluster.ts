import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Limits, nodeIdOf, type Place, resolveLimits, SojournError } from "@sojourn/core";
import type { ControlWiring, NodeProcessEvent } from "../node-process/messages.js";
import { serveDirectory } from "./directory-process.js";
import { Mesh } from "./mesh.js";
import { type LocalNode, spawnNode } from "./node-handle.js";
import { freePort } from "./ports.js";

/** A node to be started. */
export interface LocalNodeSpec {
  readonly id: string;
  readonly place?: Place;
}

/** How one node is connected, where that is not the usual way. */
export interface NodeWiring {
  readonly directoryEndpoint?: string;
  readonly control?: ControlWiring;
}

/** What a local cluster is made of. */
export interface LocalClusterOptions {
  readonly nodes: readonly LocalNodeSpec[];
  /** Path or file URL of a module (JavaScript or TypeScript); every session definition that it exports is served by every node. */
  readonly module: string;
  /** Where the directory is kept. Default: a temporary folder that is removed at the end. */
  readonly dataDir?: string;
  readonly limits?: Partial<Limits>;
  /** Where nodes renew their leases; default: in a thread of its own. */
  readonly leaseRenewal?: "thread" | "loop";
  /** The i-th node's clients come to `client + i`, its operators to `admin + i`; a port that is taken is replaced by a free one. Default: free ones. */
  readonly ports?: { readonly client: number; readonly admin: number };
  /** Uses a directory that somebody else serves, instead of serving one. */
  readonly directoryEndpoint?: string;
  /** For who puts something of its own between the nodes and what they connect to; asked at each start of a node. */
  readonly wiring?: (nodeId: string) => NodeWiring;
  /** Environment of the node processes besides this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Time a SIGTERM leaves a node for moving its sessions away; default 10 s. */
  readonly evacuateMs?: number;
  /** Each line that a node process prints. */
  readonly onLog?: (nodeId: string, line: string) => void;
  /** What node processes tell: incidents, errors of handlers, leases lost, evacuations. */
  readonly onEvent?: (nodeId: string, event: NodeProcessEvent) => void;
}

/** A cluster of real processes on this machine. The directory is served by the process that started it. */
export interface LocalCluster {
  readonly directoryEndpoint: string;
  /** The nodes whose processes run, in the order of their first start. */
  readonly nodes: readonly LocalNode[];
  /** @throws SojournError `E_NODE_UNKNOWN` when no process of this id runs */
  node(id: string): LocalNode;
  /** Starts one more node, or one whose process has ended again (at the same ports when they are free), and waits as at the start. */
  start(spec: LocalNodeSpec): Promise<LocalNode>;
  /** Stops all processes at once, without moving anything, and the directory. */
  stop(): Promise<void>;
}

/**
 * Starts the directory in this process and one process per node, and waits until every node has joined and is connected to all others.
 * If this process dies, its nodes stop.
 * @throws SojournError (rejects) `E_CONFIG_INVALID`, `E_DEFINITION_INVALID`, `E_DISK` …: what kept the first node from starting; nothing is left running then
 */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const cluster = new Cluster(options);
  try {
    await cluster.open();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

const HOST = "127.0.0.1";
const CONNECT_TIMEOUT_MS = 30_000;

interface Seat {
  readonly spec: LocalNodeSpec;
  clientPort: number;
  adminPort: number;
  node: LocalNode | null;
  starting: boolean;
}

class Cluster implements LocalCluster {
  readonly #options: LocalClusterOptions;
  readonly #limits: Limits;
  readonly #seats = new Map<string, Seat>();
  readonly #mesh = new Mesh();
  readonly #temporary: string | null;
  readonly #dataDir: string;
  #directory: { readonly endpoint: string; close(): Promise<void> } | null = null;
  #stopped = false;

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.#limits = resolveLimits(options.limits);
    this.#temporary = options.dataDir === undefined ? mkdtempSync(join(tmpdir(), "sojourn-")) : null;
    this.#dataDir = this.#temporary ?? resolve(options.dataDir ?? "");
  }

  async open(): Promise<void> {
    const { nodes } = this.#options;
    if (this.#options.directoryEndpoint === undefined) await this.#serveDirectory();
    const started = await Promise.allSettled(nodes.map((spec) => this.start(spec)));
    const failed = started.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #serveDirectory(): Promise<void> {
    const { onEvent } = this.#options;
    this.#directory = await serveDirectory({
      path: join(this.#dataDir, "directory"),
      limits: this.#limits,
      onProblem: ({ code, message }) => onEvent?.("directory", { type: "incident", session: "", code, message }),
    });
  }

  get directoryEndpoint(): string {
    return this.#options.directoryEndpoint ?? this.#directory?.endpoint ?? "";
  }

  get nodes(): readonly LocalNode[] {
    return [...this.#seats.values()].flatMap(({ node }) => (node === null ? [] : [node]));
  }

  node(id: string): LocalNode {
    const node = this.#seats.get(id)?.node;
    if (node) return node;
    throw new SojournError(
      "E_NODE_UNKNOWN",
      `no process of node "${id}" runs; there are: ${this.nodes.map((other) => other.id).join(", ")}`,
    );
  }

  async start(spec: LocalNodeSpec): Promise<LocalNode> {
    const seat = this.#seatOf(spec);
    if (this.#stopped) throw new SojournError("E_NODE_STOPPING", "the cluster has stopped");
    if (seat.node !== null || seat.starting) throw new SojournError("E_CONFIG_INVALID", `node "${spec.id}" runs already`);
    const { module, limits, leaseRenewal, wiring, env = {}, evacuateMs, onLog, onEvent } = this.#options;
    const { directoryEndpoint = this.directoryEndpoint, control } = wiring?.(spec.id) ?? {};
    seat.starting = true;
    try {
      const [clientPort, adminPort] = await Promise.all([freePort(HOST, seat.clientPort), freePort(HOST, seat.adminPort)]);
      const node = await spawnNode(
        {
          ...spec,
          module,
          directoryEndpoint,
          ...(control && { control }),
          ...(limits && { limits }),
          ...(leaseRenewal && { leaseRenewal }),
          host: HOST,
          clientPort,
          adminPort,
          ...(evacuateMs !== undefined && { evacuateMs }),
        },
        env,
        {
          onLog: (id, line) => onLog?.(id, line),
          onEvent: (id, event) => {
            if (event.type === "peerUp") this.#mesh.up(id, nodeIdOf(event.peer));
            onEvent?.(id, event);
          },
        },
      );
      seat.clientPort = Number(new URL(node.clientEndpoint).port);
      seat.adminPort = Number(new URL(node.adminEndpoint).port);
      seat.node = node;
      void node.exited.then(() => {
        if (seat.node === node) seat.node = null;
        this.#mesh.ended(spec.id);
      });
      if (this.#stopped) await node.stop();
      const others = () => (seat.node === node && !this.#stopped ? this.nodes.map(({ id }) => id).filter((id) => id !== spec.id) : []);
      await this.#mesh.connected(spec.id, others, CONNECT_TIMEOUT_MS);
      return node;
    } finally {
      seat.starting = false;
    }
  }

  #seatOf(spec: LocalNodeSpec): Seat {
    const known = this.#seats.get(spec.id);
    if (known !== undefined) return known;
    const { ports } = this.#options;
    const i = this.#seats.size;
    const seat: Seat = {
      spec,
      clientPort: ports === undefined ? 0 : ports.client + i,
      adminPort: ports === undefined ? 0 : ports.admin + i,
      node: null,
      starting: false,
    };
    this.#seats.set(spec.id, seat);
    return seat;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#mesh.changed();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#directory?.close();
    if (this.#temporary !== null) rmSync(this.#temporary, { recursive: true, force: true });
  }
}
