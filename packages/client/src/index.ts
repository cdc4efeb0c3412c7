export { CLIENT_LIMITS, type ClientLimits, resolveClientLimits } from "./client-limits.js";
export { type ConnectOptions, connect } from "./connect.js";
export type { AuthSource, LinkOptions, Status } from "./link.js";
export type { ClientEnv, OpenSocket, Socket, SocketEvents } from "./ports.js";
export type { WebSocketFactory, WebSocketLike } from "./runtime.js";
export { type AllEvents, type ClientStats, SessionClient } from "./session-client.js";
export type { CallsOf, EventMapOf, Handover, LifecycleEventMap, Reset } from "./types.js";
