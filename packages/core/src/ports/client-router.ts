import type { ClientFrameOf } from "../wire/client-frames.js";

/** A client's socket as the router sees it; the gateway implements it. None of these throws; a dead socket swallows them. */
export interface ClientSocket {
  /** Queues one encoded client frame. The bytes must not change afterwards: they are written later, without a copy. */
  send(frame: Uint8Array): void;
  /** Sends a fatal `problem` frame and closes. `retryAfterMs` 0 tells the client not to come back. */
  fail(code: string, message: string, retryAfterMs: number): void;
  /**
   * The route is over because its link has attached elsewhere. The client is told (`E_LINK_REPLACED`, not fatal) and the socket
   * stays for a while as a spare, on which it may say hello again. Nothing more is called on the route.
   */
  release(): void;
}

/**
 * What the gateway asks of the node for one socket, after its hello was accepted and authenticated.
 * The router answers over the socket: `welcome` or a fatal problem, later outputs, acknowledgements and `moved` notices.
 * After `leave`, `detach`, `ClientSocket.fail` or `ClientSocket.release` the route is void: neither side calls it, and the router sends no more for it.
 */
export interface ClientRoute {
  /** Byte fields are views into the received message, which is not used again: they may be kept. */
  input(frame: ClientFrameOf<"input">): void;
  ack(frame: ClientFrameOf<"ack">): void;
  /** The link ends for good. */
  leave(): void;
  /** The socket is gone, or said hello for something else; the link stays. */
  detach(): void;
}

/** Opens routes from clients' sockets to the sessions they name. */
export interface ClientRouter {
  /** Must not throw; it may call `socket.fail` at once, and the route it returns is only told `detach` then. */
  open(socket: ClientSocket, hello: ClientFrameOf<"hello">, user: unknown): ClientRoute;
}
