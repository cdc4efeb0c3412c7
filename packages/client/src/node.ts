import { WebSocket } from "ws";
import { type ConnectOptions, connect as connectAnywhere } from "./connect.js";
import type { WebSocketLike } from "./runtime.js";
import type { SessionClient } from "./session-client.js";

export * from "./index.js";

/** `connect` for Node.js before version 22, which has no WebSocket of its own: the `ws` package supplies it. */
export function connect<D = unknown>(options: ConnectOptions): Promise<SessionClient<D>> {
  const open = (url: string) => new WebSocket(url, { perMessageDeflate: false }) as unknown as WebSocketLike;
  return connectAnywhere<D>({ webSocket: open, ...options });
}
