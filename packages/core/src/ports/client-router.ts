import type { ClientFrameOf } from "../wire/client-frames.js";

/** A client's socket as the router sees it; the gateway implements it. */
export interface ClientSocket {
  /** Queues one encoded client frame. Bytes are not kept by the caller. Never throws; a dead socket swallows it. */
  send(frame: Uint8Array): void;
  /** Sends a fatal `problem` frame and closes. */
  fail(code: string, message: string, retryAfterMs: number): void;
}

/**
 * What the gateway asks of the node for one socket, after its hello was accepted and authenticated.
 * The router answers over the socket: `welcome` or a fatal problem, later outputs, acknowledgements and `moved` notices.
 */
export interface ClientRoute {
  input(frame: ClientFrameOf<"input">): void;
  ack(frame: ClientFrameOf<"ack">): void;
  /** The link ends for good. */
  leave(): void;
  /** The socket is gone, or said hello for something else; the link stays. */
  detach(): void;
}

/** Opens routes from clients' sockets to the sessions they name. */
export interface ClientRouter {
  open(socket: ClientSocket, hello: ClientFrameOf<"hello">, user: unknown): ClientRoute;
}
