import { SojournError } from "@sojourn/core";
import type { AdminAnswers, AdminCommand } from "@sojourn/node";
import { askAdmin } from "./admin-client.js";
import { findCluster } from "./cluster-file.js";
import { type CommandInput, type CommandIo, type OptionSpec, UsageError } from "./command-line/command.js";

/** Options of the commands that talk to a cluster. */
export const TARGET_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  admin: { value: "<url>", summary: "admin endpoint of any node (default: SOJOURN_ADMIN, else the cluster of sojourn dev)" },
  token: { value: "<token>", summary: "its bearer token (default: SOJOURN_ADMIN_TOKEN)" },
};

/** Long enough for a node that is busy; a dead one refuses at once. */
const PROBE_TIMEOUT_MS = 3_000;

/**
 * Has any living node of the cluster carry out a command.
 * @param except a node that is not asked, where it can be told from the others
 * @throws SojournError (rejects) of whoever refused it; `E_CONNECT_FAILED` with what to do when no node answers
 */
export async function ask<C extends AdminCommand>(
  input: CommandInput,
  io: CommandIo,
  command: C,
  except?: string,
): Promise<AdminAnswers[C["command"]]> {
  const endpoint = await livingEndpoint(candidates(input, io, except));
  return askAdmin(endpoint, command, input.values.get("token") ?? io.env.SOJOURN_ADMIN_TOKEN);
}

function candidates(input: CommandInput, io: CommandIo, except: string | undefined): readonly string[] {
  const given = input.values.get("admin") ?? io.env.SOJOURN_ADMIN;
  if (given !== undefined && given !== "") {
    const endpoints = given.split(",").map((endpoint) => endpoint.trim());
    for (const endpoint of endpoints) {
      if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : "")) {
        throw new UsageError(`"${endpoint}" is not the address of an admin API, e.g. http://127.0.0.1:7500`);
      }
    }
    return endpoints;
  }
  const cluster = findCluster(io.cwd);
  if (cluster === null) {
    const message = "no cluster is known here; start one with `sojourn dev`, or name a node's admin API with --admin or SOJOURN_ADMIN";
    throw new SojournError("E_CONNECT_FAILED", message);
  }
  return cluster.nodes.filter(({ id }) => id !== except).map(({ adminEndpoint }) => adminEndpoint);
}

async function livingEndpoint(endpoints: readonly string[]): Promise<string> {
  for (const endpoint of endpoints) {
    try {
      const { ok } = await fetch(new URL("/healthz", endpoint), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      if (ok) return endpoint;
    } catch {
      // the next one may live
    }
  }
  const at = endpoints.join(", ") || "(none)";
  throw new SojournError("E_CONNECT_FAILED", `no node answers at ${at}; is the cluster running? \`sojourn dev\` starts one`, { at });
}
