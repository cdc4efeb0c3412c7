import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Clock, type Limits, type NodeRef, type PeersHandler, resolveLimits, type Scheduled } from "@sojourn/core";
import { encodeHello, type Hello, KIND, wholeFrame } from "../src/channel/channel-frames.js";
import { FrameParser } from "../src/channel/frame-parser.js";
import { createTcpPeers, type TcpPeers, type TcpPeersOptions } from "../src/channel/tcp-peers.js";
import { createSystemClock } from "../src/system/clock.js";
import { createSystemRandom } from "../src/system/random.js";

/** Lets a test wait for a fact instead of for time: it is looked at after each event. */
export class Signal {
  #waiting: { fact: () => boolean; resolve: () => void }[] = [];

  raise(): void {
    const ready = this.#waiting.filter((w) => w.fact());
    this.#waiting = this.#waiting.filter((w) => !ready.includes(w));
    for (const w of ready) w.resolve();
  }

  until(fact: () => boolean): Promise<void> {
    if (fact()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ fact, resolve }));
  }
}

export interface TestNode {
  readonly ref: NodeRef;
  readonly peers: TcpPeers;
  /** `up x`, `down x` and `text from x`, in order. */
  readonly log: string[];
  readonly healths: string[];
  readonly problems: string[];
  readonly signal: Signal;
  onMessage: ((from: NodeRef, message: Uint8Array) => void) | null;
}

export interface NodeSetup extends Partial<Omit<TcpPeersOptions, "limits">> {
  readonly limits?: Partial<Limits>;
}

export const text = (s: string): Uint8Array => new TextEncoder().encode(s);
export const untext = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Opens nodes and other things and closes them all at the end of a test. */
export class Harness {
  readonly #closers: (() => unknown)[] = [];

  async node(ref: NodeRef, setup: NodeSetup = {}): Promise<TestNode> {
    const log: string[] = [];
    const problems: string[] = [];
    const signal = new Signal();
    const peers = await createTcpPeers({
      self: () => ref,
      listen: { host: "127.0.0.1", port: 0 },
      clock: createSystemClock(),
      random: createSystemRandom(),
      onProblem: (peer, code, message) => {
        problems.push(`${peer ?? "?"} ${code} ${message}`);
        signal.raise();
      },
      ...setup,
      limits: resolveLimits(setup.limits),
    });
    const healths: string[] = [];
    const node: TestNode = { ref, peers, log, healths, problems, signal, onMessage: null };
    const handler: PeersHandler = {
      onMessage: (from, message) => {
        if (node.onMessage !== null) node.onMessage(from, message);
        else log.push(`${untext(message)} from ${from}`);
        signal.raise();
      },
      onUp: (peer) => {
        log.push(`up ${peer}`);
        signal.raise();
      },
      onDown: (peer) => {
        log.push(`down ${peer}`);
        signal.raise();
      },
      onHealth: (peer, health) => {
        healths.push(`${peer} ${health}`);
        signal.raise();
      },
    };
    peers.bind(handler);
    this.#closers.push(() => peers.close());
    return node;
  }

  /** Two nodes, the first reaches the second, both up. */
  async couple(a: TestNode, b: TestNode, address = b.peers.address): Promise<void> {
    a.peers.reach(b.ref, address);
    await Promise.all([a.signal.until(() => a.peers.isUp(b.ref)), b.signal.until(() => b.peers.isUp(a.ref))]);
  }

  async wire(target: string): Promise<Wire> {
    const wire = await Wire.open(target);
    this.#closers.push(() => wire.close());
    return wire;
  }

  /** A stranger's connection. */
  async raw(address: string): Promise<RawPeer> {
    const [host, port] = address.split(":");
    const socket = connect({ host: host as string, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    this.#closers.push(() => socket.destroy());
    return new RawPeer(socket);
  }

  /** Accepts connections and leaves them to the test. */
  async rawServer(): Promise<{ address: string; next: () => Promise<RawPeer> }> {
    const accepted: RawPeer[] = [];
    const signal = new Signal();
    const server = createServer({ noDelay: true }, (socket) => {
      accepted.push(new RawPeer(socket));
      this.#closers.push(() => socket.destroy());
      signal.raise();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closers.push(() => server.close());
    return {
      address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      next: async () => {
        await signal.until(() => accepted.length > 0);
        return accepted.shift() as RawPeer;
      },
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    this.#closers.length = 0;
  }
}

/** One side of the wire in the hands of a test. */
export class RawPeer {
  readonly socket: Socket;
  readonly signal = new Signal();
  readonly frames: { kind: number; payload: Uint8Array }[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const parser = new FrameParser(2 ** 30, (bytes, start, end) => {
      this.frames.push({ kind: bytes[start] as number, payload: bytes.slice(start + 1, end) });
      return true;
    });
    socket.on("data", (chunk: Buffer) => {
      parser.push(new Uint8Array(chunk));
      this.signal.raise();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.signal.raise();
    });
  }

  of(kind: number): Uint8Array[] {
    return this.frames.filter((f) => f.kind === kind).map((f) => f.payload);
  }

  send(kind: number, payload: Uint8Array): void {
    this.socket.write(wholeFrame(kind, payload));
  }

  async greet(hello: Hello, protocol?: number): Promise<void> {
    this.send(KIND.hello, encodeHello(hello, protocol));
    await this.signal.until(() => this.frames.length > 0 || this.closed);
  }

  async next(kind: number): Promise<Uint8Array> {
    await this.signal.until(() => this.of(kind).length > 0 || this.closed);
    const [payload] = this.of(kind);
    if (payload === undefined) throw new Error(`closed without a frame of kind ${kind}`);
    return payload;
  }

  whenClosed(): Promise<void> {
    return this.signal.until(() => this.closed);
  }
}

/** A wire that can be cut, and that can go silent without closing. */
export class Wire {
  readonly address: string;
  readonly close: () => void;
  readonly #sockets: Set<Socket>;
  #silent = false;

  private constructor(address: string, sockets: Set<Socket>, close: () => void) {
    this.address = address;
    this.#sockets = sockets;
    this.close = close;
  }

  static async open(target: string): Promise<Wire> {
    const [host, port] = target.split(":");
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect({ host: host as string, port: Number(port) });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.setNoDelay(true);
        from.on("data", (chunk) => {
          if (!wire.#silent) to.write(chunk);
        });
        from.on("error", () => {});
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    const wire: Wire = new Wire(`127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, close);
    return wire;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Swallows everything from now on, or passes it on again. */
  silence(on: boolean): void {
    this.#silent = on;
  }
}

/** Time that only moves when the test moves it. */
export class ManualClock implements Clock {
  #now = 1_000;
  #tasks: { dueMs: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  schedule(delayMs: number, task: () => void): Scheduled {
    const entry = { dueMs: this.#now + delayMs, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((t) => t !== entry);
      },
    };
  }

  /** Runs what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#tasks.filter((t) => t.dueMs <= end).sort((x, y) => x.dueMs - y.dueMs);
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((t) => t !== next);
      this.#now = Math.max(this.#now, next.dueMs);
      next.task();
    }
    this.#now = end;
  }

  /** Time passes in which nothing could run, as when the event loop was held up. */
  stall(ms: number): void {
    this.#now += ms;
  }
}
