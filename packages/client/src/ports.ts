import type { Clock, Random } from "@sojourn/core";
import type { ClientLimits } from "./client-limits.js";

/** What a socket tells its user. Never called inside `OpenSocket`, nothing after `onClose` or after the user closed it. */
export interface SocketEvents {
  onOpen(): void;
  /** One binary message. A text message is told as an empty one, which no frame is. */
  onMessage(data: Uint8Array): void;
  /** The socket could not be opened, or is gone. */
  onClose(): void;
}

/** A message socket: in order, whole messages, at most once. Neither method throws, whatever state the socket is in. */
export interface Socket {
  send(data: Uint8Array): void;
  /** What was sent before is still flushed. */
  close(): void;
}

/** Starts to open a socket. */
export type OpenSocket = (endpoint: string, events: SocketEvents) => Socket;

/** Everything a client touches outside itself. */
export interface ClientEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
  readonly limits: ClientLimits;
}
