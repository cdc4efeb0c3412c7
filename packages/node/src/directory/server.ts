import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import {
  type Clock,
  type Crc32,
  type Directory,
  DirectoryEngine,
  type DirectoryStore,
  type Limits,
  LocalDirectory,
  SojournError,
} from "@sojourn/core";
import { TickFlusher } from "../channel/tick-flusher.js";
import type { FrameSocketIo } from "./frame-socket.js";
import { ServerConnection } from "./server-connection.js";

/** What a directory server runs on. */
export interface DirectoryServerOptions {
  readonly listen: { readonly host?: string; readonly port: number };
  readonly store: DirectoryStore;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly crc32: Crc32;
  /** With these the server speaks TLS only, and asks clients for a certificate unless `requestCert` is false. */
  readonly tls?: TlsOptions;
  /** A client broke the protocol, or the store failed (`E_DISK`: the server has stopped). */
  readonly onProblem?: (error: SojournError) => void;
}

/** A directory that is being served. */
export interface DirectoryServer {
  /** `host:port` as it listens. */
  readonly endpoint: string;
  /** A handle without a socket, for a node in the same process. */
  local(): Directory;
  /** Answers what was taken, then closes everything, the store too. */
  close(): Promise<void>;
  /** Ends as a crash would: nobody is answered any more and what is not durable is given up. */
  abort(): Promise<void>;
}

/**
 * Serves a directory over TCP or TLS.
 * @throws SojournError `E_DISK` when the store cannot be loaded, `E_CONFIG_INVALID` when the address cannot be listened on
 */
export async function startDirectoryServer(options: DirectoryServerOptions): Promise<DirectoryServer> {
  const { limits, clock, store, tls } = options;
  const onProblem = options.onProblem ?? (() => {});
  const io: FrameSocketIo = {
    crc32: options.crc32,
    clock,
    flusher: new TickFlusher(),
    lingerMs: limits.peerConnectTimeoutMs,
    maxSentBytes: limits.maxPeerFrameBytes,
    maxReceivedBytes: limits.maxDirectoryRequestBytes,
  };
  const connections = new Set<ServerConnection>();
  const unavailable = new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory has stopped");

  const engine = await DirectoryEngine.open({
    clock,
    limits,
    store,
    onFailure: (error) => {
      onProblem(error);
      server.close();
      // The answers that say so are queued: let them out.
      for (const connection of connections) connection.refuse(unavailable);
    },
  });

  const accept = (socket: Socket): void => {
    if (connections.size >= limits.maxDirectoryConnections) {
      socket.destroy();
      onProblem(new SojournError("E_QUEUE_FULL", `the directory has ${connections.size} connections already`));
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.directoryTimeoutMs);
    const greeting = clock.schedule(limits.helloTimeoutMs, () => {
      if (!connection.greeted) connection.destroy(new SojournError("E_FRAME_MALFORMED", "no hello in time"));
    });
    const connection = new ServerConnection(engine, limits, io, socket, (gone, error) => {
      greeting.cancel();
      connections.delete(gone);
      if (error.code !== "E_DIRECTORY_UNAVAILABLE") onProblem(error);
    });
    connections.add(connection);
  };

  const server: Server =
    tls === undefined ? createTcpServer(accept) : createTlsServer({ requestCert: true, rejectUnauthorized: true, ...tls }, accept);
  try {
    await listening(server, options.listen);
  } catch (error) {
    await engine.close();
    throw error;
  }

  const stop = async (stopEngine: () => Promise<void>, end: (connection: ServerConnection) => void): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await stopEngine();
    for (const connection of connections) end(connection);
    await closed;
  };
  return {
    endpoint: endpointOf(server),
    local: () => new LocalDirectory(engine),
    close: () =>
      stop(
        () => engine.close(),
        (connection) => connection.refuse(unavailable),
      ),
    abort: () => {
      for (const connection of connections) connection.destroy(unavailable);
      return stop(
        () => engine.abort(),
        (connection) => connection.destroy(unavailable),
      );
    },
  };
}

function listening(server: Server, { host, port }: DirectoryServerOptions["listen"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(new SojournError("E_CONFIG_INVALID", `the directory cannot listen on ${host ?? "*"}:${port}: ${error.message}`, {}, error));
    };
    server.once("error", failed);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", failed);
      // A socket that cannot be accepted (out of descriptors) is that client's misfortune, not the server's end.
      server.on("error", () => {});
      resolve();
    });
  });
}

function endpointOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return String(address);
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
