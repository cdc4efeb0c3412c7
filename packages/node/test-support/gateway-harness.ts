import {
  ByteWriter,
  type ClientFrame,
  type ClientFrameOf,
  type ClientRoute,
  type ClientRouter,
  type ClientSocket,
  type Clock,
  decodeClientFrame,
  encodeClientFrame,
  type Limits,
  resolveLimits,
} from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { WebSocket } from "ws";
import { type Gateway, type GatewayOptions, startGateway } from "../src/gateway/gateway.js";

/** A route that writes down what it is told. */
export interface FakeRoute extends ClientRoute {
  readonly socket: ClientSocket;
  readonly hello: ClientFrameOf<"hello">;
  readonly user: unknown;
  readonly log: string[];
}

/** A router that welcomes everybody and echoes inputs. */
export class FakeRouter implements ClientRouter {
  readonly routes: FakeRoute[] = [];
  onOpen: (route: FakeRoute) => void = (route) => route.socket.send(frameBytes(welcome()));
  onInput: (route: FakeRoute, frame: ClientFrameOf<"input">) => void = () => {};
  readonly #waiters: (() => void)[] = [];

  open(socket: ClientSocket, hello: ClientFrameOf<"hello">, user: unknown): ClientRoute {
    const log: string[] = [];
    const note = (line: string): void => {
      log.push(line);
      for (const wake of this.#waiters.splice(0)) wake();
    };
    const route: FakeRoute = {
      socket,
      hello,
      user,
      log,
      input: (frame) => {
        note(`input ${frame.seq}`);
        this.onInput(route, frame);
      },
      ack: (frame) => note(`ack ${frame.seq}`),
      leave: () => note("leave"),
      detach: () => note("detach"),
    };
    this.routes.push(route);
    this.onOpen(route);
    return route;
  }

  /** Resolves once some route has been told something for which `done` holds. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}

/** A client's WebSocket that collects frames. */
export class RawClient {
  readonly ws: WebSocket;
  readonly frames: ClientFrame[] = [];
  readonly opened: Promise<void>;
  /** The close code. */
  readonly closed: Promise<number>;
  #wake: (() => void)[] = [];
  #ended = false;

  constructor(port: number, path = "/") {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
    this.ws.on("message", (data) => {
      this.frames.push(decodeClientFrame(new Uint8Array(data as Buffer)));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.opened = new Promise((resolve, reject) => {
      this.ws.once("open", resolve);
      this.ws.once("error", reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.ws.once("close", (code) => {
        this.#ended = true;
        for (const wake of this.#wake.splice(0)) wake();
        resolve(code);
      });
    });
    this.ws.on("error", () => {});
  }

  send(frame: ClientFrame): void {
    this.ws.send(frameBytes(frame));
  }

  /** The frame at this position, once it is there. */
  async frame(at: number): Promise<ClientFrame> {
    for (;;) {
      const frame = this.frames[at];
      if (frame !== undefined) return frame;
      if (this.#ended) throw new Error(`closed after ${JSON.stringify(this.frames)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}

export function frameBytes(frame: ClientFrame): Uint8Array {
  return encodeClientFrame(new ByteWriter(), frame);
}

export function hello(changes: Partial<ClientFrameOf<"hello">> = {}): ClientFrameOf<"hello"> {
  const link = "link-0123456789ab";
  return {
    t: "hello",
    protocol: 1,
    session: "room/1",
    link,
    token: "t0",
    nextToken: "t1",
    epoch: 0,
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 0,
    generation: 0,
    auth: null,
    ...changes,
  };
}

export function input(seq: number, payload = new Uint8Array(2)): ClientFrameOf<"input"> {
  return { t: "input", seq, ack: 0, action: "add", payload };
}

export function welcome(): ClientFrameOf<"welcome"> {
  return {
    t: "welcome",
    protocol: 1,
    epoch: 1,
    lastIn: 0,
    nextOut: 1,
    generation: 1,
    recovered: false,
    reason: null,
    lostOutputs: 0,
    lostInputs: 0,
    owner: "a",
    endpoint: "ws://a",
    heartbeatMs: 15_000,
  };
}

/** A gateway on a free port, its router, and the ways to reach it. Time is virtual unless a clock is given. */
export async function gatewayHarness(options: Partial<GatewayOptions> & { readonly bounds?: Partial<Limits> } = {}) {
  const { bounds, ...rest } = options;
  const clock = new VirtualClock();
  const router = new FakeRouter();
  const problems: string[] = [];
  const gateway: Gateway = await startGateway({
    listen: { host: "127.0.0.1", port: 0 },
    limits: resolveLimits(bounds),
    clock: clock as Clock,
    router,
    onProblem: (code) => problems.push(code),
    ...rest,
  });
  const clients: RawClient[] = [];
  return {
    clock,
    router,
    gateway,
    problems,
    /** An open socket that has said nothing. */
    async dial(path?: string): Promise<RawClient> {
      const client = new RawClient(gateway.port, path);
      clients.push(client);
      await client.opened;
      return client;
    },
    /** An open socket that has been welcomed. */
    async join(changes?: Partial<ClientFrameOf<"hello">>): Promise<RawClient> {
      const client = await this.dial();
      client.send(hello(changes));
      await client.frame(0);
      return client;
    },
    async stop(): Promise<void> {
      const closing = gateway.close();
      for (const client of clients) client.ws.terminate();
      await closing;
    },
  };
}
