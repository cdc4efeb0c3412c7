import {
  ByteWriter,
  type ClientFrame,
  type ClientFrameOf,
  type Clock,
  decodeClientFrame,
  decodePayload,
  encodeClientFrame,
  encodePayload,
  type Random,
} from "@sojourn/core";
import type { OpenSocket, Socket, SocketEvents } from "../src/ports.js";

/** What may happen to each frame on its way between a socket's node and the session; probabilities. */
export interface Weather {
  lose: number;
  twice: number;
  /** Longest delay of a frame; above 0 frames may overtake each other. */
  jitterMs: number;
}

interface Link {
  readonly id: string;
  readonly first: string;
  token: string;
  pair: string;
  generation: number;
  lastIn: number;
  nextOut: number;
  outbox: Omit<ClientFrameOf<"output">, "epoch" | "ack">[];
  socket: FakeSocket | null;
  resending: boolean;
}

/** One end-to-end path: the client's socket and the node it landed on. */
export class FakeSocket implements Socket {
  readonly endpoint: string;
  readonly sent: ClientFrame[] = [];
  readonly #cluster: FakeCluster;
  readonly #events: SocketEvents;
  open = false;
  /** No more for the client. */
  dead = false;
  /** No more from the client. */
  lost = false;

  constructor(cluster: FakeCluster, endpoint: string, events: SocketEvents) {
    this.#cluster = cluster;
    this.endpoint = endpoint;
    this.#events = events;
    cluster.clock.schedule(cluster.latencyMs, () => {
      if (this.dead) return;
      if (cluster.unreachable.has(endpoint)) {
        if (!cluster.silent.has(endpoint)) this.die();
        return;
      }
      this.open = true;
      events.onOpen();
    });
  }

  send(data: Uint8Array): void {
    if (!this.open || this.dead) throw new Error("sent on a socket that is not open");
    const frame = decodeClientFrame(data.slice());
    this.sent.push(frame);
    this.#cluster.travel(() => this.#cluster.received(this, frame));
  }

  close(): void {
    if (this.dead) return;
    this.dead = true;
    // What was sent before the close still arrives; `travel` delays by no more than this.
    const { latencyMs, weather } = this.#cluster;
    this.#cluster.clock.schedule(latencyMs + weather.jitterMs + 1, () => {
      this.lost = true;
      this.#cluster.gone(this);
    });
  }

  /** The socket breaks; both sides notice. */
  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.lost = true;
    this.#cluster.gone(this);
    this.#cluster.clock.schedule(0, () => this.#events.onClose());
  }

  deliver(frame: ClientFrame): void {
    const data = encodeClientFrame(new ByteWriter(), frame);
    this.#cluster.travel(() => this.deliverRaw(data));
  }

  deliverRaw(data: Uint8Array): void {
    if (this.open && !this.dead && !this.#cluster.silent.has(this.endpoint)) this.#events.onMessage(data);
  }
}

/** Nodes and one session, as a client sees them. The session follows the rules of session/types.ts. */
export class FakeCluster {
  readonly clock: Clock;
  readonly random: Random;
  latencyMs = 5;
  weather: Weather = { lose: 0, twice: 0, jitterMs: 0 };
  /** Endpoints that accept no socket. */
  readonly unreachable = new Set<string>();
  /** Endpoints from which nothing arrives any more, not even a refusal. */
  readonly silent = new Set<string>();
  readonly sockets: FakeSocket[] = [];
  readonly links = new Map<string, Link>();
  /** Arguments of the inputs in the order they were handled, per link. */
  readonly handled = new Map<string, unknown[]>();
  readonly left: string[] = [];
  epoch = 1;
  owner: string;
  /** Answers the next hellos with this instead. */
  refusal: Omit<ClientFrameOf<"problem">, "t"> | null = null;
  /** Makes the session deaf: frames reach the node, and no further. */
  relayDead = false;
  /** What welcomes tell. */
  heartbeatMs = 1_000;

  constructor(clock: Clock, random: Random, owner: string) {
    this.clock = clock;
    this.random = random;
    this.owner = owner;
  }

  readonly openSocket: OpenSocket = (endpoint, events) => {
    const socket = new FakeSocket(this, endpoint, events);
    this.sockets.push(socket);
    return socket;
  };

  get live(): FakeSocket[] {
    return this.sockets.filter((socket) => socket.open && !socket.dead);
  }

  travel(arrive: () => void): void {
    const { lose, twice, jitterMs } = this.weather;
    if (this.random.next() < lose) return;
    for (let copies = this.random.next() < twice ? 2 : 1; copies > 0; copies--) {
      this.clock.schedule(this.latencyMs + this.random.next() * jitterMs, arrive);
    }
  }

  /** The session sends an event to every link. */
  broadcast(name: string, value: unknown): void {
    for (const link of this.links.values()) this.#put(link, { kind: "event", answers: 0, name, payload: encodePayload(value) });
  }

  /** A planned move: attached clients are told. */
  move(to: string, switchAfterMs = 0): void {
    const from = this.owner;
    this.owner = to;
    this.epoch += 1;
    for (const { socket } of this.links.values()) {
      socket?.deliver({ t: "moved", epoch: this.epoch, from: idOf(from), to: idOf(to), endpoint: to, blackoutMs: 0.5, switchAfterMs });
    }
  }

  /** What a link knows is lost, as after a fail-over to an old snapshot. */
  forget(): void {
    this.links.clear();
    this.epoch += 1;
  }

  gone(socket: FakeSocket): void {
    for (const link of this.links.values()) if (link.socket === socket) link.socket = null;
  }

  received(socket: FakeSocket, frame: ClientFrame): void {
    if (socket.lost || this.silent.has(socket.endpoint)) return;
    if (frame.t === "ping") socket.deliver({ t: "pong", nonce: frame.nonce });
    if (this.relayDead) return;
    if (frame.t === "hello") this.#attach(socket, frame);
    for (const link of this.links.values()) {
      if (link.socket !== socket) continue;
      if (frame.t === "input") this.#input(link, frame);
      if (frame.t === "input" || frame.t === "ack")
        link.outbox = link.outbox.filter(({ seq }) => seq > (frame.t === "ack" ? frame.seq : frame.ack));
      if (frame.t === "ack" && frame.gap) for (const output of link.outbox) this.#send(link, output);
      if (frame.t === "bye") {
        this.links.delete(link.id);
        this.left.push(link.id);
      }
    }
  }

  #attach(socket: FakeSocket, hello: ClientFrameOf<"hello">): void {
    if (this.refusal !== null) {
      socket.deliver({ t: "problem", ...this.refusal });
      return;
    }
    const pair = `${hello.token} ${hello.nextToken}`;
    let link = this.links.get(hello.link);
    const fresh = link === undefined;
    if (link === undefined) {
      link = {
        id: hello.link,
        first: hello.token,
        token: hello.token,
        pair: "",
        generation: 0,
        lastIn: 0,
        nextOut: 1,
        outbox: [],
        socket: null,
        resending: false,
      };
      this.links.set(hello.link, link);
      if (!this.handled.has(hello.link)) this.handled.set(hello.link, []);
    }
    if (hello.token !== link.token && pair !== link.pair) {
      socket.deliver({ t: "problem", code: "E_LINK_TOKEN", message: "", fatal: true, retryAfterMs: 0 });
      return;
    }
    if (link.socket !== null && link.socket !== socket) {
      link.socket.deliver({ t: "problem", code: "E_LINK_REPLACED", message: "", fatal: false, retryAfterMs: 0 });
    }
    link.token = hello.nextToken;
    link.pair = pair;
    link.generation += 1;
    link.socket = socket;
    link.outbox = link.outbox.filter(({ seq }) => seq > hello.lastOut);
    const recovered = !fresh;
    socket.deliver({
      t: "welcome",
      protocol: 1,
      epoch: this.epoch,
      lastIn: link.lastIn,
      nextOut: recovered ? hello.lastOut + 1 : 1,
      generation: link.generation,
      recovered,
      reason: fresh && hello.epoch > 0 ? "E_LINK_EXPIRED" : null,
      lostOutputs: 0,
      lostInputs: 0,
      owner: idOf(this.owner),
      endpoint: this.owner,
      heartbeatMs: this.heartbeatMs,
    });
    for (const output of link.outbox) this.#send(link, output);
  }

  #input(link: Link, frame: ClientFrameOf<"input">): void {
    if (frame.seq === link.lastIn + 1) {
      link.lastIn = frame.seq;
      const value = decodePayload(frame.payload);
      this.handled.get(link.id)?.push(value);
      if (frame.action === "mute") return;
      if (frame.action === "refuse") {
        const payload = encodePayload({ message: "no", details: { value: 1 } });
        this.#put(link, { kind: "failure", answers: frame.seq, name: "E_INPUT_INVALID", payload });
      } else this.#put(link, { kind: "reply", answers: frame.seq, name: "", payload: encodePayload(value) });
    } else if (frame.seq <= link.lastIn) link.socket?.deliver({ t: "acked", epoch: this.epoch, seq: link.lastIn });
  }

  #put(link: Link, message: Pick<ClientFrameOf<"output">, "kind" | "answers" | "name" | "payload">): void {
    const output = { t: "output" as const, seq: link.nextOut++, ...message };
    link.outbox.push(output);
    this.#send(link, output);
  }

  #send(link: Link, output: Link["outbox"][number]): void {
    link.socket?.deliver({ ...output, epoch: this.epoch, ack: link.lastIn });
    this.#resendLater(link);
  }

  /** The owner sends again what a live socket does not acknowledge: its path may have lost the last messages. */
  #resendLater(link: Link): void {
    if (link.resending) return;
    link.resending = true;
    const oldest = link.outbox[0]?.seq;
    this.clock.schedule(400, () => {
      link.resending = false;
      if (link.socket === null || link.outbox.length === 0) return;
      if (link.outbox[0]?.seq === oldest) for (const output of link.outbox) this.#send(link, output);
      else this.#resendLater(link);
    });
  }
}

/** `ws://a` → `a`. */
export function idOf(endpoint: string): string {
  return endpoint.replace("ws://", "");
}
