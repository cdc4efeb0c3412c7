import { WebSocket } from "ws";
import { type ConnectOptions, connect as connectAnywhere } from "./connect.js";
import type { WebSocketLike } from "./runtime.js";
import type { SessionClient } from "./session-client.js";

export { CLIENT_LIMITS, type ClientLimits, resolveClientLimits } from "./client-limits.js";
export type { ConnectOptions } from "./connect.js";
export type { AuthSource, LinkOptions, Status } from "./link.js";
export type { ClientEnv, OpenSocket, Socket, SocketEvents } from "./ports.js";
export type { WebSocketFactory, WebSocketLike } from "./runtime.js";
export { type AllEvents, type ClientStats, SessionClient } from "./session-client.js";
export type { CallsOf, EventMapOf, Handover, LifecycleEventMap } from "./types.js";

/** `connect` for Node.js before version 22, which has no WebSocket of its own: the `ws` package supplies it. */
export function connect<D = unknown>(options: ConnectOptions): Promise<SessionClient<D>> {
  const open = (url: string) => new WebSocket(url, { perMessageDeflate: false }) as unknown as WebSocketLike;
  return connectAnywhere<D>({ webSocket: open, ...options });
}
