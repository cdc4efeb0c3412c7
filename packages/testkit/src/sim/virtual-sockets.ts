import type { OpenSocket, SocketEvents } from "@sojourn/client";
import {
  ByteWriter,
  type ClientRoute,
  type ClientRouter,
  type ClientSocket,
  type Clock,
  decodeClientFrame,
  encodeClientFrame,
} from "@sojourn/core";
import type { SeededRandom } from "./seeded-random.js";
import type { Arrival } from "./virtual-network.js";

/** One client socket, both ends. */
class Pipe implements ClientSocket {
  readonly #clock: Clock;
  readonly #latency: () => number;
  readonly #events: SocketEvents;
  readonly #writer = new ByteWriter();
  #route: ClientRoute | null = null;
  #open = true;
  /** Arrivals keep their order, as on a real socket. */
  #lastUpMs = 0;
  #lastDownMs = 0;

  constructor(clock: Clock, latency: () => number, events: SocketEvents) {
    this.#clock = clock;
    this.#latency = latency;
    this.#events = events;
  }

  get open(): boolean {
    return this.#open;
  }

  /** From the client. */
  up(router: () => ClientRouter | null, arrive: Arrival, data: Uint8Array): void {
    const bytes = data.slice();
    this.#lastUpMs = Math.max(this.#lastUpMs, this.#clock.now() + this.#latency());
    this.#clock.schedule(this.#lastUpMs - this.#clock.now(), () => {
      arrive(() => {
        if (this.#open) this.#handle(router(), bytes);
      });
    });
  }

  #handle(router: ClientRouter | null, bytes: Uint8Array): void {
    const frame = decodeClientFrame(bytes);
    switch (frame.t) {
      case "hello":
        this.#route?.detach();
        this.#route = router?.open(this, frame, null) ?? null;
        if (router === null) this.cut();
        return;
      case "input":
        this.#route?.input(frame);
        return;
      case "ack":
        this.#route?.ack(frame);
        return;
      case "bye":
        this.#route?.leave();
        this.#route = null;
        return;
      case "ping":
        this.send(encodeClientFrame(this.#writer, { t: "pong", nonce: frame.nonce }));
        return;
      default:
        return;
    }
  }

  /** From the node. */
  send(frame: Uint8Array): void {
    const bytes = frame.slice();
    this.#lastDownMs = Math.max(this.#lastDownMs, this.#clock.now() + this.#latency());
    this.#clock.schedule(this.#lastDownMs - this.#clock.now(), () => {
      if (this.#open) this.#events.onMessage(bytes);
    });
  }

  fail(code: string, message: string, retryAfterMs: number): void {
    this.#route = null;
    this.send(encodeClientFrame(this.#writer, { t: "problem", code, message, fatal: true, retryAfterMs }));
    this.#clock.schedule(this.#latency() + 1, () => this.cut());
  }

  release(): void {
    this.#route = null;
    this.send(encodeClientFrame(this.#writer, { t: "problem", code: "E_LINK_REPLACED", message: "", fatal: false, retryAfterMs: 0 }));
  }

  /** The connection breaks; what was under way is lost. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#route?.detach();
    this.#route = null;
    this.#clock.schedule(0, () => this.#events.onClose());
  }

  /** The client closes. */
  closeByClient(): void {
    const wait = Math.max(0, this.#lastUpMs - this.#clock.now()) + 1;
    this.#clock.schedule(wait, () => {
      if (!this.#open) return;
      this.#open = false;
      this.#route?.detach();
      this.#route = null;
    });
  }
}

/** Client sockets to simulated nodes: in order and whole, until they are cut. */
export class VirtualSockets {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #routers = new Map<string, () => ClientRouter | null>();
  readonly #arrivals = new Map<string, Arrival>();
  readonly #pipes = new Map<string, Set<Pipe>>();
  latencyMs = 2;
  jitterMs = 1;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** What answers at an endpoint; null while nothing does. */
  listen(endpoint: string, router: () => ClientRouter | null, arrive: Arrival = (task) => task()): void {
    this.#arrivals.set(endpoint, arrive);
    this.#routers.set(endpoint, router);
  }

  /** For clients' environments. */
  readonly openSocket: OpenSocket = (endpoint, events) => {
    const latency = () => this.latencyMs + this.#random.next() * this.jitterMs;
    const router = () => this.#routers.get(endpoint)?.() ?? null;
    const arrive: Arrival = (task) => (this.#arrivals.get(endpoint) ?? ((now) => now()))(task);
    const pipe = new Pipe(this.#clock, latency, events);
    let pipes = this.#pipes.get(endpoint);
    if (pipes === undefined) {
      pipes = new Set();
      this.#pipes.set(endpoint, pipes);
    }
    pipes.add(pipe);
    this.#clock.schedule(latency() * 2, () => {
      if (!pipe.open) return;
      if (router() === null) pipe.cut();
      else events.onOpen();
    });
    return {
      send: (data) => pipe.up(router, arrive, data),
      close: () => pipe.closeByClient(),
    };
  };

  /** All sockets to an endpoint break, as when its process dies. */
  cutAll(endpoint: string): void {
    for (const pipe of this.#pipes.get(endpoint) ?? []) pipe.cut();
    this.#pipes.get(endpoint)?.clear();
  }

  /** One of the open sockets, chosen by chance, breaks. */
  cutOne(): void {
    const open = [...this.#pipes.values()].flatMap((pipes) => [...pipes].filter((pipe) => pipe.open));
    if (open.length > 0) this.#random.pick(open).cut();
  }
}
