import { problemOf } from "@sojourn/node";
import type { LocalCluster } from "../cluster/local-cluster.js";
import type { LocalNode } from "../cluster/node-handle.js";
import type { NodeProcessEvent } from "../node-process/messages.js";
import type { Supervised } from "./supervisor.js";

/** Says what happens in a cluster under development. */
export interface DevReporter {
  ready(cluster: LocalCluster, module: string): void;
  log(nodeId: string, line: string): void;
  event(nodeId: string, event: NodeProcessEvent): void;
  supervised(what: Supervised): void;
  stopping(): void;
}

const describe = ({ id, clientEndpoint, adminEndpoint, pid }: LocalNode) => ({ id, clientEndpoint, adminEndpoint, pid });

/** One JSON object a line, for programs. */
export function jsonReporter(out: (line: string) => void): DevReporter {
  const say = (event: string, fields: object) => out(JSON.stringify({ event, ...fields }));
  return {
    ready: ({ directoryEndpoint, nodes }, module) =>
      say("ready", { module, directoryEndpoint, kinds: nodes[0]?.kinds ?? {}, nodes: nodes.map(describe) }),
    log: (node, line) => say("log", { node, line }),
    event: (node, { type, ...fields }) => {
      if (type !== "ready" && type !== "failed" && type !== "peerUp") say(type, { node, ...fields });
    },
    supervised(what) {
      if (what.type === "restarted") say("restarted", describe(what.node));
      else if (what.type === "failed") say("failed", { id: what.id, error: problemOf(what.error), againInMs: what.againInMs });
      else {
        const { type, ...fields } = what;
        say(type, fields);
      }
    },
    stopping: () => say("stopping", {}),
  };
}

/** Lines for people. */
export function textReporter(out: (line: string) => void): DevReporter {
  let started = false;
  return {
    ready(cluster, module) {
      started = true;
      for (const line of greeting(cluster, module)) out(line);
    },
    log: (node, line) => out(`${node} | ${line}`),
    event(node, event) {
      switch (event.type) {
        case "incident":
          // While they start, nodes do not find each other yet.
          if (!started && event.code === "E_PEER_UNREACHABLE") return;
          return out(`${node} ! ${event.code}${event.session === "" ? "" : ` ${event.session}`}: ${event.message}`);
        case "handlerError":
          return out(`${node} ! ${event.session}, ${event.where}: ${event.message}`);
        case "lost":
          return out(`${node} lost its lease and joins again`);
        case "evacuating":
          return out(`${node} was asked to leave and moves its ${event.sessions} sessions away`);
        case "evacuated":
          return out(`${node} moved ${event.moved} sessions in ${Math.round(event.elapsedMs)} ms, ${event.left} left behind`);
      }
    },
    supervised(what) {
      switch (what.type) {
        case "left":
          return out(`${what.id} has left the cluster${what.whole ? "" : " without having moved all of its sessions"}`);
        case "crashed":
          return out(`${what.id} crashed (exit code ${what.exitCode}) and is started again in ${what.againInMs} ms`);
        case "restarted":
          return out(`${what.node.id} is back at ${what.node.clientEndpoint} (pid ${what.node.pid})`);
        case "failed":
          return out(`${what.id} could not be started again: ${problemOf(what.error).message}; next try in ${what.againInMs} ms`);
        case "empty":
          return out("all nodes have left");
      }
    },
    stopping: () => out("stopping …"),
  };
}

function greeting({ nodes }: LocalCluster, module: string): string[] {
  const kinds = Object.entries(nodes[0]?.kinds ?? {});
  const [kind = "room", actions = []] = kinds[0] ?? [];
  const width = Math.max(...nodes.map(({ id }) => id.length));
  const target = nodes.at(-1)?.id ?? "node";
  const endpoints = nodes.map(({ clientEndpoint }) => `"${clientEndpoint}"`).join(", ");
  return [
    `${nodes.length} nodes serve ${kinds.map(([name]) => name).join(", ")} from ${module}`,
    "",
    ...nodes.map(
      ({ id, clientEndpoint, adminEndpoint, pid }) => `  ${id.padEnd(width)}  ${clientEndpoint}  admin ${adminEndpoint}  pid ${pid}`,
    ),
    "",
    "A client:",
    "",
    '  import { connect } from "@sojourn/client/node";',
    "",
    `  const session = await connect({ endpoints: [${endpoints}], session: "${kind}/first" });`,
    '  session.on("handover", ({ from, to, blackoutMs }) => console.log({ from, to, blackoutMs }));',
    ...(actions[0] === undefined ? [] : [`  console.log(await session.call${member(actions[0])}(/* its argument */));`]),
    "",
    "In another terminal:",
    "",
    `  sojourn move ${kind}/first ${target}   moves the session while the client stays connected`,
    `  kill -TERM ${nodes.at(-1)?.pid ?? "<pid>"}   has ${target} evacuate: its sessions move to the others, then it ends`,
    "  sojourn status   shows the nodes",
    "",
    "Ctrl-C stops everything.",
  ];
}

function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
