import { errorCodeOf, resolveLimits, type SessionDefinition, SojournError } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, type SojournNode, systemCrc32 } from "@sojourn/node";
import { loadDefinitions } from "./load-definitions.js";
import type { NodeProcessConfig, NodeProcessEvent } from "./messages.js";

const DEFAULT_EVACUATE_MS = 10_000;
/** Time over which the clients of a node that goes away are told to, and asked to come back elsewhere. */
const LEAVE_SPREAD_MS = 100;

/** A node that has the process to itself. */
export interface NodeProcess {
  readonly node: SojournNode;
  /** Moves everything away, then leaves. Resolves with whether nothing was left behind. */
  evacuate(): Promise<boolean>;
  /** Leaves at once. */
  stop(): Promise<void>;
}

/**
 * Starts the one node of a process: connects the directory, loads the definitions, joins, and tells what happens. Signals are the
 * caller's business.
 * @throws SojournError (rejects) why it could not start
 */
export async function runNodeProcess(config: NodeProcessConfig, tell: (event: NodeProcessEvent) => void): Promise<NodeProcess> {
  const { id, place, host = "127.0.0.1", directoryEndpoint: endpoint, adminToken, evacuateMs = DEFAULT_EVACUATE_MS } = config;
  const limits = resolveLimits(config.limits);
  const sessions = await loadDefinitions(config.module);
  const directory = connectDirectory({
    endpoint,
    limits,
    clock: createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
    onProblem: ({ code, message }) => tell({ type: "incident", session: "", code, message }),
  });
  let node: SojournNode;
  try {
    node = await createNode({
      id,
      ...(place !== undefined && { place }),
      sessions,
      directory,
      ...(config.limits && { limits: config.limits }),
      ...(config.leaseRenewal && { leaseRenewal: config.leaseRenewal }),
      listen: { client: { host, port: config.clientPort ?? 0 }, control: { host, ...config.control } },
      admin: { host, port: config.adminPort ?? 0, ...(adminToken !== undefined && { token: adminToken }) },
      on: {
        joined: (self) => tell({ type: "joined", self }),
        lost: (self) => tell({ type: "lost", self }),
        peerUp: (peer) => tell({ type: "peerUp", peer }),
        incident: (session, code, message) => tell({ type: "incident", session, code, message }),
        handlerError: (session, where, error) => tell({ type: "handlerError", session, where, message: messageOf(error) }),
      },
    });
  } catch (error) {
    await directory.close();
    throw error;
  }
  const close = async (spreadMs: number): Promise<void> => {
    await node.close({ spreadMs });
    await directory.close();
  };
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= close(0);
    return stopping;
  };
  const running: NodeProcess = {
    node,
    async evacuate() {
      tell({ type: "evacuating", sessions: node.status().sessions.owned });
      try {
        const { moved, left, elapsedMs } = await node.drain({ deadlineMs: evacuateMs });
        tell({ type: "evacuated", moved, left: left.length, elapsedMs });
        return left.length === 0;
      } catch (error) {
        // Being stopped meanwhile ends a drain.
        if (stopping === null)
          tell({ type: "incident", session: "", code: errorCodeOf(error), message: `evacuation: ${messageOf(error)}` });
        return stopping !== null;
      } finally {
        stopping ??= close(LEAVE_SPREAD_MS);
        await stopping;
      }
    },
    stop,
  };
  tell({
    type: "ready",
    self: node.self ?? id,
    clientEndpoint: node.clientEndpoint,
    adminEndpoint: node.adminEndpoint ?? "",
    kinds: Object.fromEntries(sessions.map((definition: SessionDefinition) => [definition.name, [...definition.actions.keys()]])),
  });
  return running;
}

/** Why a node process could not start, as it is told. */
export function failureOf(thrown: unknown): Extract<NodeProcessEvent, { type: "failed" }> {
  const error = thrown instanceof SojournError ? thrown : new SojournError("E_INTERNAL", messageOf(thrown), {}, thrown);
  return { type: "failed", code: error.code, message: error.message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
