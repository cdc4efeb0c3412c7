import { resolve } from "node:path";
import { SojournError } from "@sojourn/core";
import { type LocalCluster, type LocalNodeSpec, startLocalCluster } from "../cluster/local-cluster.js";
import { type ClusterFile, DATA_FOLDER, isRunning, readClusterFile, removeClusterFile, writeClusterFile } from "../cluster-file.js";
import type { Command } from "../command-line/command.js";
import { durationOption, wholeOption } from "../command-line/parse.js";
import { FAILED } from "../command-line/run.js";
import { findModule } from "../dev/find-module.js";
import { type DevReporter, jsonReporter, textReporter } from "../dev/reporter.js";
import { Supervisor } from "../dev/supervisor.js";

const MAX_NODES = 32;
const FIRST_PORT = 7_400;
/** From a node's port for clients to its port for operators. */
const ADMIN_OFFSET = 100;
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** `sojourn dev` */
export const dev: Command = {
  name: "dev",
  summary: "Start a cluster on this machine: real processes that serve the given definitions",
  positionals: ["[file]"],
  options: {
    nodes: { value: "<count>", summary: `how many nodes (default 3, up to ${MAX_NODES})` },
    port: {
      value: "<port>",
      summary: `first port for clients (default ${FIRST_PORT}); operators: ${ADMIN_OFFSET} above; taken ones are replaced`,
    },
    data: { value: "<folder>", summary: `where the directory is kept (default ${DATA_FOLDER})` },
    evacuate: { value: "<time>", summary: "time that a SIGTERM leaves a node to move its sessions away (default 10s)" },
  },
  notes: [
    "",
    "The file may be TypeScript or JavaScript; every session definition that it exports is served. Default: sojourn.ts,",
    "sessions.ts (or .js, .mts, .mjs), here or in src/. A node that crashes is started again; SIGTERM to one node has it",
    "move its sessions to the others and leave. The state of sessions is in memory and ends with the last node.",
  ],
  async run(input, io) {
    const count = wholeOption(input, "nodes", 3, 1, MAX_NODES);
    const port = wholeOption(input, "port", FIRST_PORT, 0, 65_535 - ADMIN_OFFSET - MAX_NODES);
    const evacuateMs = durationOption(input, "evacuate");
    const dataDir = resolve(io.cwd, input.values.get("data") ?? DATA_FOLDER);
    const module = findModule(io.cwd, input.positionals[0]);
    refuseSecond(dataDir);

    const reporter = (input.switches.has("json") ? jsonReporter : textReporter)(io.out);
    const specs = Array.from({ length: count }, (_, i) => ({ id: `node-${i + 1}` }));
    const asked = new StopSignals();
    try {
      const cluster = await startLocalCluster({
        nodes: specs,
        module,
        dataDir,
        ...(port !== 0 && { ports: { client: port, admin: port + ADMIN_OFFSET } }),
        ...(evacuateMs !== undefined && { evacuateMs }),
        onLog: (id, line) => reporter.log(id, line),
        onEvent: (id, event) => reporter.event(id, event),
      });
      await supervise(cluster, specs, dataDir, reporter, asked, module);
    } finally {
      asked.release();
    }
    return 0;
  },
};

async function supervise(
  cluster: LocalCluster,
  specs: readonly LocalNodeSpec[],
  dataDir: string,
  reporter: DevReporter,
  asked: StopSignals,
  module: string,
): Promise<void> {
  const note = () => writeClusterFile(dataDir, fileOf(cluster));
  const { promise: empty, resolve: allLeft } = withResolvers();
  const supervisor = new Supervisor(cluster, (what) => {
    note();
    reporter.supervised(what);
    if (what.type === "empty") allLeft();
  });
  try {
    for (const spec of specs) supervisor.watch(spec, cluster.node(spec.id));
    note();
    reporter.ready(cluster, module);
    await Promise.race([asked.signal, empty]);
    reporter.stopping();
  } finally {
    supervisor.stop();
    await cluster.stop();
    removeClusterFile(dataDir);
  }
}

function fileOf({ directoryEndpoint, nodes }: LocalCluster): ClusterFile {
  return {
    pid: process.pid,
    directoryEndpoint,
    nodes: nodes.map(({ id, clientEndpoint, adminEndpoint, pid }) => ({ id, clientEndpoint, adminEndpoint, pid })),
  };
}

/** Two clusters in one folder would share a directory. */
function refuseSecond(dataDir: string): void {
  const known = readClusterFile(dataDir);
  if (known === null || !isRunning(known.pid)) return;
  const message = `a cluster runs from ${dataDir} already (pid ${known.pid}); stop it, or give this one a folder of its own with --data`;
  throw new SojournError("E_CONFIG_INVALID", message, { pid: known.pid });
}

/** Being asked to end; the second time ends the process at once, and its nodes with it. */
class StopSignals {
  readonly signal: Promise<void>;
  readonly #listener: () => void;
  #asked = false;

  constructor() {
    const { promise, resolve } = withResolvers();
    this.signal = promise;
    this.#listener = () => {
      if (this.#asked) process.exit(FAILED);
      this.#asked = true;
      resolve();
    };
    for (const name of SIGNALS) process.on(name, this.#listener);
  }

  release(): void {
    for (const name of SIGNALS) process.off(name, this.#listener);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let settle = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle() };
}
