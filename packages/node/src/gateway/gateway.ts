import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ByteWriter, type ClientRouter, type Clock, type Limits, type Scheduled, SojournError } from "@sojourn/core";
import { type ServerOptions, WebSocketServer } from "ws";
import { TickFlusher } from "../channel/tick-flusher.js";
import { ClientConnection } from "./client-connection.js";
import type { Authenticate, GatewayCore } from "./gateway-core.js";
import { GuardedWebSocket } from "./guarded-web-socket.js";

/** Pieces of one message; a client of ours sends each in one. */
const MAX_FRAGMENTS = 64;
/** Time a peer has to answer a closing handshake before the socket is cut. */
const CLOSE_TIMEOUT_MS = 2_000;

/** How clients reach this node and who answers them. */
export interface GatewayOptions {
  /** Port 0 takes a free one. With `tls` the gateway serves `wss://`. */
  readonly listen: { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string; readonly key: string } };
  readonly limits: Limits;
  readonly clock: Clock;
  readonly router: ClientRouter;
  /** Without it everybody is let in, as user null. */
  readonly authenticate?: Authenticate;
  /** Told of each refused or ended client and what was wrong. */
  readonly onProblem?: (code: string, message: string) => void;
}

/** How a gateway says goodbye. */
export interface GatewayCloseOptions {
  /** Time over which the clients are told to go, so that they do not arrive elsewhere in one instant. */
  readonly spreadMs?: number;
  /** Pause that the clients are asked to make before they connect again. */
  readonly retryAfterMs?: number;
}

/** The door for clients. */
export interface Gateway {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Takes no new clients, sends the present ones elsewhere and resolves when the last socket is closed. */
  close(options?: GatewayCloseOptions): Promise<void>;
}

/**
 * Listens for clients.
 * @throws SojournError `E_CONFIG_INVALID` when the address cannot be listened on
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { limits, clock, listen } = options;
  const connections = new Set<ClientConnection>();
  const core: GatewayCore = {
    clock,
    limits,
    router: options.router,
    authenticate: options.authenticate ?? (() => null),
    flusher: new TickFlusher(),
    scratch: new ByteWriter(),
    onProblem: options.onProblem ?? (() => {}),
    forget: (connection) => connections.delete(connection as ClientConnection),
  };
  // `closeTimeout` is missing in the type package.
  const settings: ServerOptions<typeof GuardedWebSocket> & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxClientFrameBytes,
    maxFragments: MAX_FRAGMENTS,
    // A message may arrive in many small pieces, but not in so many that their bookkeeping outweighs it.
    maxBufferedChunks: Math.max(256, limits.maxClientFrameBytes >> 8),
    skipUTF8Validation: true,
    closeTimeout: CLOSE_TIMEOUT_MS,
    WebSocket: GuardedWebSocket,
  };
  const webSockets = new WebSocketServer(settings);
  const server = listen.tls === undefined ? createServer() : createTlsServer(listen.tls);
  server.on("request", (request, response) => {
    const healthy = request.url === "/healthz";
    response.writeHead(healthy ? 200 : 426, {
      "content-type": "text/plain",
      ...(healthy ? {} : { upgrade: "websocket", connection: "close" }),
    });
    response.end(healthy ? "ok\n" : "this is a WebSocket endpoint\n");
  });
  let stopping = false;
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (stopping) refuseUpgrade(stream, 503, "E_NODE_STOPPING");
    else if (pathOf(request) !== "/") refuseUpgrade(stream, 404, "E_CONFIG_INVALID");
    else if (connections.size >= limits.maxClientConnections) {
      core.onProblem("E_QUEUE_FULL", "the limit of client connections is reached");
      refuseUpgrade(stream, 503, "E_QUEUE_FULL");
    } else {
      webSockets.handleUpgrade(request, stream, head, (ws) => {
        connections.add(new ClientConnection(core, ws, stream as Socket));
      });
    }
  });
  await listening(server, listen.host, listen.port);
  const { address, port } = server.address() as AddressInfo;

  const sweepMs = Math.min(1_000, Math.max(25, Math.min(limits.clientHeartbeatMs, limits.helloTimeoutMs) / 4));
  let sweeping: Scheduled;
  const sweep = (): void => {
    const nowMs = clock.now();
    for (const connection of connections) connection.sweep(nowMs);
    sweeping = clock.schedule(sweepMs, sweep);
  };
  sweeping = clock.schedule(sweepMs, sweep);

  let closed: Promise<void> | undefined;
  const close = (how: GatewayCloseOptions): Promise<void> => {
    stopping = true;
    const { spreadMs = 0, retryAfterMs = 50 } = how;
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections(); // those that never asked for a WebSocket
    let at = 0;
    const stepMs = spreadMs / Math.max(1, connections.size);
    for (const connection of connections) {
      if (spreadMs === 0) connection.dismiss(retryAfterMs);
      else clock.schedule(stepMs * at++, () => connection.dismiss(retryAfterMs));
    }
    return ended.then(() => sweeping.cancel());
  };
  return {
    host: address,
    port,
    get connections() {
      return connections.size;
    },
    close: (how = {}) => {
      closed ??= close(how);
      return closed;
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] as string;
}

/** Answers in plain HTTP; the name of the problem is in the body. */
function refuseUpgrade(stream: Duplex, status: number, code: string): void {
  stream.on("error", () => {});
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: text/plain\r\nContent-Length: ${code.length}\r\n\r\n${code}`,
  );
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(new SojournError("E_CONFIG_INVALID", `cannot listen on ${host}:${port}: ${cause.message}`, { host, port }, cause));
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
}
