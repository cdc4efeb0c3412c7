import { ByteWriter, type ClientFrame, decodeClientFrame, encodeClientFrame, type Scheduled } from "@sojourn/core";
import type { ClientEnv, Socket } from "./ports.js";

/** What a channel tells the link. Nothing is told after `down` or after the link closed the channel. */
export interface ChannelEvents {
  opened(channel: Channel): void;
  frame(channel: Channel, frame: ClientFrame): void;
  /** `silent`: the other end stopped answering, so its machine may be gone. */
  down(channel: Channel, silent: boolean): void;
}

const scratch = /* @__PURE__ */ new ByteWriter();

/** One socket to one endpoint that speaks client frames, answers pings and notices when the other end is dead. */
export class Channel {
  readonly endpoint: string;
  /** The link that has said hello on it; "" while none has. What arrives may be for that one, however late it is. */
  link = "";
  readonly #env: ClientEnv;
  readonly #events: ChannelEvents;
  readonly #socket: Socket;
  #state: "opening" | "open" | "down" = "opening";
  #heartbeatMs: number;
  #heardAtMs = 0;
  #pings = 0;
  #watch: Scheduled | undefined;

  constructor(env: ClientEnv, endpoint: string, events: ChannelEvents) {
    this.endpoint = endpoint;
    this.#env = env;
    this.#events = events;
    this.#heartbeatMs = env.limits.clientHeartbeatMs;
    this.#socket = env.openSocket(endpoint, {
      onOpen: () => {
        if (this.#state !== "opening") return;
        this.#state = "open";
        this.expectTraffic(this.#heartbeatMs);
        events.opened(this);
      },
      onMessage: (data) => this.#received(data),
      onClose: () => this.fail(false),
    });
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  send(frame: ClientFrame): void {
    if (this.#state === "open") this.#socket.send(encodeClientFrame(scratch, frame));
  }

  /** From now on silence of `heartbeatMs` is probed, and of twice that is death. */
  expectTraffic(heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
    this.#heardAtMs = this.#env.clock.now();
    this.#watch?.cancel();
    this.#watch = this.#env.clock.schedule(heartbeatMs, this.#check);
  }

  /** The channel ends, and the link is told. */
  fail(silent: boolean): void {
    if (this.#state === "down") return;
    this.close();
    this.#events.down(this, silent);
  }

  /** The channel ends, and the link is not told. */
  close(): void {
    this.#state = "down";
    this.#watch?.cancel();
    this.#socket.close();
  }

  #received(data: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#heardAtMs = this.#env.clock.now();
    let frame: ClientFrame;
    try {
      frame = decodeClientFrame(data);
    } catch {
      this.fail(false);
      return;
    }
    if (frame.t === "ping") this.send({ t: "pong", nonce: frame.nonce });
    else this.#events.frame(this, frame);
  }

  readonly #check = (): void => {
    const silenceMs = this.#env.clock.now() - this.#heardAtMs;
    const heartbeatMs = this.#heartbeatMs;
    if (silenceMs >= 2 * heartbeatMs) {
      this.fail(true);
      return;
    }
    if (silenceMs >= heartbeatMs) this.send({ t: "ping", nonce: ++this.#pings });
    // Rounded up: a rest too small to move a floating-point clock would be due again at once, for ever.
    const restMs = Math.ceil((silenceMs >= heartbeatMs ? 2 : 1) * heartbeatMs - silenceMs);
    this.#watch = this.#env.clock.schedule(restMs, this.#check);
  };
}
