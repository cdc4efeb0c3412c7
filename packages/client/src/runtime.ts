import type { Clock, Random } from "@sojourn/core";
import type { OpenSocket, Socket, SocketEvents } from "./ports.js";

/** The part of the standard WebSocket that the client uses: the browser's, Node's (22 and newer), or that of the `ws` package. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(): void;
}

/** Opens a WebSocket, without waiting for it. */
export type WebSocketFactory = (url: string) => WebSocketLike;

/** What every supported runtime has; the client is compiled without the types of any of them. */
declare const performance: { now(): number };
declare const crypto: { getRandomValues(into: Uint8Array): Uint8Array };
declare const setTimeout: (task: () => void, delayMs: number) => unknown;
declare const clearTimeout: (timer: unknown) => void;

/** The runtime's time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** The runtime's randomness. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

/** The runtime's own WebSocket, if it has one. */
export function globalWebSocket(): WebSocketFactory | undefined {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string) => WebSocketLike };
  return WebSocket && ((url) => new WebSocket(url));
}

/** Fits a standard WebSocket to the client's socket port. */
export function openVia(factory: WebSocketFactory, clock: Clock): OpenSocket {
  return (endpoint, events) => {
    let socket: WebSocketLike;
    try {
      socket = factory(endpoint);
    } catch {
      // A malformed address, or a page that may not connect: told like every other failure, after this call.
      const told = clock.schedule(0, events.onClose);
      return { send() {}, close: () => told.cancel() };
    }
    return bind(socket, events);
  };
}

function bind(socket: WebSocketLike, events: SocketEvents): Socket {
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events.onOpen();
  socket.onmessage = ({ data }: { data: unknown }) =>
    events.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array());
  socket.onclose = () => events.onClose();
  // An error is always followed by a close; without a listener `ws` would throw it.
  socket.onerror = () => {};
  return {
    send(data) {
      try {
        socket.send(data);
      } catch {
        // Closing already; the close event follows, and what was sent is sent again on the next socket.
      }
    },
    close() {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
  };
}
