import type { OpenSocket, Socket, SocketEvents } from "@sojourn/client";
import {
  ByteWriter,
  type ClientFrame,
  type ClientRoute,
  type ClientRouter,
  type ClientSocket,
  type Clock,
  decodeClientFrame,
  encodeClientFrame,
} from "@sojourn/core";
import type { SeededRandom } from "./seeded-random.js";
import type { Arrival } from "./virtual-network.js";

/** Sees what clients and nodes say to each other and changes nothing. */
export interface SocketObserver {
  /** A frame of a client reaches its node. `socket` names the socket, `owner` whose it is. */
  up(endpoint: string, socket: number, frame: ClientFrame, owner: string): void;
  /** A frame of a node leaves for the client. `bytes` is only valid during the call. */
  down(endpoint: string, socket: number, bytes: Uint8Array, owner: string): void;
  /** A socket was lost. `halfOpen`: its node does not know yet. */
  cut(endpoint: string, socket: number, halfOpen: boolean): void;
}

/** What a socket needs from its surroundings. */
interface PipePorts {
  readonly clock: Clock;
  readonly endpoint: string;
  readonly owner: string;
  readonly number: number;
  readonly latency: () => number;
  readonly router: () => ClientRouter | null;
  readonly arrive: Arrival;
  readonly observer: () => SocketObserver | null;
  readonly gone: (pipe: Pipe) => void;
}

/** One client socket, both ends. */
class Pipe implements ClientSocket {
  readonly #ports: PipePorts;
  readonly #events: SocketEvents;
  readonly #writer = new ByteWriter();
  #route: ClientRoute | null = null;
  /** Whether the client's end, and the node's, still take part. */
  #open = true;
  #nodeOpen = true;
  /** Arrivals keep their order, as on a real socket. */
  #lastUpMs = 0;
  #lastDownMs = 0;

  constructor(ports: PipePorts, events: SocketEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  get open(): boolean {
    return this.#open;
  }
  get owner(): string {
    return this.#ports.owner;
  }

  /** From the client. */
  up(data: Uint8Array): void {
    const { clock, latency, arrive } = this.#ports;
    const bytes = data.slice();
    const now = clock.now();
    this.#lastUpMs = Math.max(this.#lastUpMs, now + latency());
    clock.schedule(this.#lastUpMs - now, () => {
      arrive(() => {
        if (this.#nodeOpen) this.#handle(bytes);
      });
    });
  }

  #handle(bytes: Uint8Array): void {
    const { router, observer, endpoint, number, owner } = this.#ports;
    const frame = decodeClientFrame(bytes);
    observer()?.up(endpoint, number, frame, owner);
    switch (frame.t) {
      case "hello":
        this.#route?.detach();
        this.#route = router()?.open(this, frame, null) ?? null;
        if (router() === null) this.cut();
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
    const { clock, latency, observer, endpoint, number, owner } = this.#ports;
    if (!this.#nodeOpen) return;
    observer()?.down(endpoint, number, frame, owner);
    const bytes = frame.slice();
    const now = clock.now();
    this.#lastDownMs = Math.max(this.#lastDownMs, now + latency());
    clock.schedule(this.#lastDownMs - now, () => {
      if (this.#open) this.#events.onMessage(bytes);
    });
  }

  fail(code: string, message: string, retryAfterMs: number): void {
    this.#route = null;
    this.send(encodeClientFrame(this.#writer, { t: "problem", code, message, fatal: true, retryAfterMs }));
    this.#ports.clock.schedule(this.#ports.latency() + 1, () => this.cut());
  }

  release(): void {
    this.#route = null;
    this.send(encodeClientFrame(this.#writer, { t: "problem", code: "E_LINK_REPLACED", message: "", fatal: false, retryAfterMs: 0 }));
  }

  /** The connection breaks; what was under way is lost. With `halfOpenMs` the node learns of it that much later. */
  cut(halfOpenMs = 0): void {
    if (!this.#open) return;
    const { clock, observer, endpoint, number } = this.#ports;
    observer()?.cut(endpoint, number, halfOpenMs > 0);
    this.#open = false;
    clock.schedule(0, () => this.#events.onClose());
    if (halfOpenMs > 0) clock.schedule(halfOpenMs, () => this.#nodeEnds());
    else this.#nodeEnds();
  }

  #nodeEnds(): void {
    if (!this.#nodeOpen) return;
    this.#nodeOpen = false;
    this.#ports.gone(this);
    this.#ports.arrive(() => {
      this.#route?.detach();
      this.#route = null;
    });
  }

  /** The client closes. */
  closeByClient(): void {
    const { clock } = this.#ports;
    this.#open = false;
    const wait = Math.max(0, this.#lastUpMs - clock.now()) + 1;
    clock.schedule(wait, () => this.#nodeEnds());
  }
}

/** Client sockets to simulated nodes: in order and whole, until they are cut. */
export class VirtualSockets {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #routers = new Map<string, () => ClientRouter | null>();
  readonly #arrivals = new Map<string, Arrival>();
  readonly #pipes = new Map<string, Set<Pipe>>();
  readonly #away = new Set<string>();
  readonly #walls = new Map<string, string>();
  latencyMs = 2;
  jitterMs = 1;
  observer: SocketObserver | null = null;
  #opened = 0;

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
  readonly openSocket: OpenSocket = (endpoint, events) => this.#open(endpoint, events, "");

  /** Sockets of one client, which can be cut together. */
  opener(owner: string): OpenSocket {
    return (endpoint, events) => this.#open(endpoint, events, owner);
  }

  /** A client loses its reception, or has it again: its sockets break, and new ones do at once. */
  reception(owner: string, there: boolean): void {
    if (there) {
      this.#away.delete(owner);
      return;
    }
    this.#away.add(owner);
    for (const pipes of this.#pipes.values()) for (const pipe of [...pipes]) if (pipe.owner === owner) pipe.cut();
  }

  /** From now on a client reaches this endpoint only. */
  wall(owner: string, endpoint: string): void {
    this.#walls.set(owner, endpoint);
  }

  #open(endpoint: string, events: SocketEvents, owner: string): Socket {
    const latency = () => this.latencyMs + this.#random.next() * this.jitterMs;
    const router = () => this.#routers.get(endpoint)?.() ?? null;
    let pipes = this.#pipes.get(endpoint);
    if (pipes === undefined) {
      pipes = new Set();
      this.#pipes.set(endpoint, pipes);
    }
    const open = pipes;
    // Whatever process answers when the socket opens is the one at its other end.
    let arrive: Arrival = (task) => task();
    this.#opened++;
    const pipe = new Pipe(
      {
        clock: this.#clock,
        endpoint,
        owner,
        number: this.#opened,
        latency,
        router,
        arrive: (task) => arrive(task),
        observer: () => this.observer,
        gone: (gone) => open.delete(gone),
      },
      events,
    );
    pipes.add(pipe);
    this.#clock.schedule(latency() * 2, () => {
      if (!pipe.open) return;
      arrive = this.#arrivals.get(endpoint) ?? arrive;
      if (router() === null || this.#away.has(owner) || (this.#walls.get(owner) ?? endpoint) !== endpoint) pipe.cut();
      else events.onOpen();
    });
    return {
      send: (data) => pipe.up(data),
      close: () => pipe.closeByClient(),
    };
  }

  /** All sockets to an endpoint break, as when its process dies. Returns how many there were. */
  cutAll(endpoint: string): number {
    const pipes = [...(this.#pipes.get(endpoint) ?? [])];
    for (const pipe of pipes) pipe.cut();
    return pipes.length;
  }

  /** One of the open sockets, chosen by chance, breaks. */
  cutOne(halfOpenMs = 0): void {
    const open = [...this.#pipes.values()].flatMap((pipes) => [...pipes].filter((pipe) => pipe.open));
    if (open.length > 0) this.#random.pick(open).cut(halfOpenMs);
  }

  /** Sockets that some node believes to be open. */
  get open(): number {
    let open = 0;
    for (const pipes of this.#pipes.values()) open += pipes.size;
    return open;
  }

  /** Those of them that belong to none of the clients: of thieves. */
  get openOfNobody(): number {
    let open = 0;
    for (const pipes of this.#pipes.values()) for (const { owner } of pipes) if (owner === "") open++;
    return open;
  }
}
