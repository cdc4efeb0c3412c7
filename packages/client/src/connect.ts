import { parseSessionKey, SojournError } from "@sojourn/core";
import { type ClientLimits, resolveClientLimits } from "./client-limits.js";
import type { AuthSource } from "./link.js";
import { globalWebSocket, openVia, systemClock, systemRandom, type WebSocketFactory } from "./runtime.js";
import { SessionClient } from "./session-client.js";

/** How to reach a session. */
export interface ConnectOptions {
  /** Nodes to begin with, `ws://…` or `wss://…`; one is enough, several survive its failure. The client learns of others. */
  readonly endpoints: readonly string[];
  /** `kind/id`, e.g. `room/lobby-7`. */
  readonly session: string;
  /** What the node's `authenticate` function gets; a function is asked anew for each connection. */
  readonly token?: AuthSource;
  readonly limits?: Partial<ClientLimits>;
  /** Opens a WebSocket where the runtime has none of its own, or to set headers or a proxy. */
  readonly webSocket?: WebSocketFactory;
}

/**
 * Connects to a session and stays connected while it moves from node to node.
 * @throws SojournError what refused the client, `E_CONNECT_FAILED` when no endpoint answers, `E_CONFIG_INVALID`,
 * `E_LIMIT_INVALID` or `E_SESSION_KEY_INVALID` for malformed options
 */
export async function connect<D = unknown>(options: ConnectOptions): Promise<SessionClient<D>> {
  const { endpoints, session, token = null } = options;
  if (endpoints.length === 0) throw new SojournError("E_CONFIG_INVALID", "connect needs at least one endpoint");
  for (const endpoint of endpoints) {
    if (!/^wss?:\/\/[^#\s]+$/.test(endpoint)) throw new SojournError("E_CONFIG_INVALID", `"${endpoint}" is not a ws:// or wss:// address`);
  }
  parseSessionKey(session);
  const webSocket = options.webSocket ?? globalWebSocket();
  if (webSocket === undefined) {
    throw new SojournError("E_CONFIG_INVALID", "this runtime has no WebSocket: use @sojourn/client/node, or give the option webSocket");
  }
  const env = {
    clock: systemClock,
    random: systemRandom,
    openSocket: openVia(webSocket, systemClock),
    limits: resolveClientLimits(options.limits),
  };
  return SessionClient.open<D>(env, { session, endpoints, auth: token });
}
