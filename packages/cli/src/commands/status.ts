import type { ClusterNode } from "@sojourn/node";
import type { Command } from "../command-line/command.js";
import { table } from "../command-line/table.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn status` */
export const status: Command = {
  name: "status",
  summary: "Show the nodes of a cluster and how they fare",
  positionals: [],
  options: TARGET_OPTIONS,
  async run(input, io) {
    const cluster = await ask(input, io, { command: "cluster" });
    if (input.switches.has("json")) {
      io.out(JSON.stringify(cluster));
      return 0;
    }
    const headings = ["NODE", "STATE", "SESSIONS", "COPIES", "CLIENTS", "MOVED", "FAILED", "P50 MS", "P99 MS", "CLIENTS COME TO"];
    io.out(table(headings, cluster.nodes.map(rowOf)));
    for (const { id, error } of cluster.nodes) if (error !== null) io.out(`\n${id}: ${error.code}: ${error.message}`);
    return 0;
  },
};

function rowOf({ id, cordoned, status, clientEndpoint }: ClusterNode): (string | number)[] {
  if (status === null) return [id, "no answer", "-", "-", "-", "-", "-", "-", "-", clientEndpoint];
  const { sessions, clients, moves, blackoutMs } = status;
  const figures = [sessions.owned, sessions.copies, clients, moves.moved, moves.failed];
  const blackouts = blackoutMs.count === 0 ? ["-", "-"] : [blackoutMs.p50, blackoutMs.p99];
  return [id, cordoned ? "cordoned" : "up", ...figures, ...blackouts, clientEndpoint];
}
