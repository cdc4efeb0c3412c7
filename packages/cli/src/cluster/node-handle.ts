import { type ChildProcess, fork } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { SojournError } from "@sojourn/core";
import type { AdminAnswers, AdminCommand } from "@sojourn/node";
import { askAdmin } from "../admin-client.js";
import type { NodeProcessConfig, NodeProcessEvent, ToNodeProcess } from "../node-process/messages.js";

/** With V8's default young generation, what lives for the length of a hand-over is promoted too early. */
const NODE_OPTIONS = ["--max-semi-space-size=64"];
const ENTRY = fileURLToPath(new URL("../node-process/main.js", import.meta.url));
/** A node that was told to stop at once and did not is killed. */
const STOP_PATIENCE_MS = 5_000;

/** One node of a local cluster: a process of its own. A node that is started again is another LocalNode. */
export interface LocalNode {
  readonly id: string;
  /** `ws://host:port` for clients. */
  readonly clientEndpoint: string;
  /** `http://host:port` of the admin API. */
  readonly adminEndpoint: string;
  readonly pid: number;
  /** The kinds of session that it serves, with the names of their actions. */
  readonly kinds: Readonly<Record<string, readonly string[]>>;
  /** The exit code once the process has ended; a signal's counts as 128 + its number. */
  readonly exited: Promise<number>;
  /** SIGTERM: it moves its sessions to the others and ends. 0: nothing was left behind. */
  terminate(): Promise<number>;
  /** SIGKILL: what a crash would be. */
  kill(): Promise<number>;
  /** Ends at once; nothing is moved. */
  stop(): Promise<number>;
  /** Has the node carry out an operator's command. @throws SojournError (rejects) of whoever refused it */
  command<C extends AdminCommand>(command: C): Promise<AdminAnswers[C["command"]]>;
}

/** What node processes say, and what they print. */
export interface NodeListener {
  readonly onEvent: (id: string, event: NodeProcessEvent) => void;
  readonly onLog: (id: string, line: string) => void;
}

/**
 * Forks a node process and waits until it has joined.
 * @throws SojournError (rejects) why it could not start
 */
export function spawnNode(config: NodeProcessConfig, env: NodeJS.ProcessEnv, listener: NodeListener): Promise<LocalNode> {
  const child = fork(ENTRY, [], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: NODE_OPTIONS });
  for (const stream of [child.stdout, child.stderr]) {
    stream && eachLine(stream, (line) => listener.onLog(config.id, line));
  }
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
    child.once("error", () => resolve(127));
  });
  return new Promise((resolve, reject) => {
    exited.then((code) => reject(new SojournError("E_INTERNAL", `node ${config.id} ended with exit code ${code} before it was ready`)));
    child.on("message", (event: NodeProcessEvent) => {
      listener.onEvent(config.id, event);
      if (event.type === "ready") resolve(handleOf(config, event, child, exited));
      else if (event.type === "failed") reject(new SojournError(event.code, `node ${config.id}: ${event.message}`));
    });
    tell(child, { type: "start", config });
  });
}

function handleOf(
  config: NodeProcessConfig,
  ready: Extract<NodeProcessEvent, { type: "ready" }>,
  child: ChildProcess,
  exited: Promise<number>,
): LocalNode {
  const { clientEndpoint, adminEndpoint, kinds } = ready;
  const signal = (name: NodeJS.Signals) => {
    child.kill(name);
    return exited;
  };
  return {
    id: config.id,
    clientEndpoint,
    adminEndpoint,
    pid: child.pid ?? 0,
    kinds,
    exited,
    terminate: () => signal("SIGTERM"),
    kill: () => signal("SIGKILL"),
    stop: () => {
      tell(child, { type: "stop" });
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE_MS);
      return exited.finally(() => clearTimeout(patience));
    },
    command: (command) => askAdmin(adminEndpoint, command, config.adminToken),
  };
}

function tell(child: ChildProcess, message: ToNodeProcess): void {
  if (child.connected) child.send(message, () => undefined); // one that is gone has ended anyway
}

function eachLine(stream: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) tell(line);
  });
  stream.on("end", () => rest !== "" && tell(rest));
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
