import type { Socket } from "node:net";
import {
  CLIENT_PROTOCOL,
  type ClientFrame,
  type ClientFrameOf,
  type ClientRoute,
  type ClientSocket,
  decodeClientFrame,
  ERRORS,
  type ErrorCode,
  encodeClientFrame,
  errorCodeOf,
  parseSessionKey,
  SojournError,
} from "@sojourn/core";
import type { Flushable } from "../channel/tick-flusher.js";
import type { GatewayCore } from "./gateway-core.js";
import type { GuardedWebSocket } from "./guarded-web-socket.js";

/** Longest link id or token; a client of ours uses 36 characters. */
const MAX_SECRET_CHARACTERS = 128;
const MIN_LINK_CHARACTERS = 16;

/** What the connection waits for. `waiting` and `checking` end at their deadline; a spare is a `waiting` that had a route. */
type Phase =
  | { readonly name: "waiting"; readonly deadlineMs: number; readonly spare: boolean }
  | { readonly name: "checking"; readonly deadlineMs: number; readonly hello: ClientFrameOf<"hello"> }
  | { readonly name: "routed"; readonly route: ClientRoute }
  | { readonly name: "closed" };

/** One client's WebSocket: from its hello to a route into the node, and frames both ways. */
export class ClientConnection implements ClientSocket, Flushable {
  readonly #core: GatewayCore;
  readonly #ws: GuardedWebSocket;
  readonly #net: Socket;
  #phase: Phase;
  #corked = false;
  /** Set by every message; the sweep reads and clears it, so that a message costs no look at the clock. */
  #heard = true;
  #heardAtMs: number;
  #pinged = false;

  constructor(core: GatewayCore, ws: GuardedWebSocket, net: Socket) {
    this.#core = core;
    this.#ws = ws;
    this.#net = net;
    this.#heardAtMs = core.clock.now();
    this.#phase = { name: "waiting", deadlineMs: this.#heardAtMs + core.limits.helloTimeoutMs, spare: false };
    ws.on("message", (data, isBinary) => this.#received(data as Buffer, isBinary));
    ws.on("close", () => this.#closed());
    // `ws` closes the socket after an error; what the peer did wrong was told by then.
    ws.on("error", () => {});
    ws.onViolation = (closeCode) => {
      if (closeCode === 1009)
        this.#refuse("E_FRAME_TOO_LARGE", `a message is larger than ${core.limits.maxClientFrameBytes} bytes`, 0, false);
      else this.#refuse("E_FRAME_MALFORMED", "the WebSocket protocol was violated", 0, false);
    };
  }

  // ClientSocket

  send(frame: Uint8Array): void {
    if (this.#phase.name === "closed") return;
    if (!this.#corked) {
      this.#corked = true;
      this.#net.cork();
      this.#core.flusher.mark(this);
    }
    this.#ws.send(frame, SEND_OPTIONS);
    if (this.#net.writableLength > this.#core.limits.maxSocketBacklogBytes) {
      this.#refuse("E_QUEUE_FULL", "the client reads too slowly", 1_000);
      this.#ws.terminate();
    }
  }

  fail(code: string, message: string, retryAfterMs: number): void {
    // The router's own decision: it needs no word that its route is void.
    if (this.#phase.name === "routed") this.#phase = this.#spare();
    this.#refuse(code, message, retryAfterMs);
  }

  release(): void {
    if (this.#phase.name !== "routed") return;
    this.#phase = this.#spare();
    this.#sendFrame({ t: "problem", code: "E_LINK_REPLACED", message: ERRORS.E_LINK_REPLACED, fatal: false, retryAfterMs: 0 });
  }

  /** The node stops: the client is sent elsewhere. */
  dismiss(retryAfterMs: number): void {
    this.#refuse("E_NODE_STOPPING", undefined, retryAfterMs);
  }

  /** Writes what was sent since the socket was corked. */
  flush(): void {
    this.#corked = false;
    this.#net.uncork();
  }

  /** Looks at the clock for everything that may have run out. */
  sweep(nowMs: number): void {
    const phase = this.#phase;
    const { limits } = this.#core;
    if (this.#heard) {
      this.#heard = false;
      this.#pinged = false;
      this.#heardAtMs = nowMs;
    }
    if ((phase.name === "waiting" || phase.name === "checking") && nowMs >= phase.deadlineMs) {
      if (phase.name === "checking") this.#refuse("E_SESSION_BUSY", "authentication took too long", 1_000);
      else if (phase.spare) this.#end(1000);
      else this.#refuse("E_HELLO_TIMEOUT", undefined, 1_000);
      return;
    }
    const silenceMs = nowMs - this.#heardAtMs;
    if (silenceMs >= 2 * limits.clientHeartbeatMs) {
      this.#leave("detach");
      this.#ws.terminate();
    } else if (silenceMs >= limits.clientHeartbeatMs && !this.#pinged) {
      this.#pinged = true;
      this.#sendFrame({ t: "ping", nonce: 0 });
    }
  }

  // frames

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#phase.name === "closed") return;
    this.#heard = true;
    try {
      if (!isBinary) throw new SojournError("E_FRAME_MALFORMED", "text messages are not part of the protocol");
      this.#handle(decodeClientFrame(data));
    } catch (error) {
      if (error instanceof SojournError) this.#refuse(error.code, error.message, 0);
      else {
        this.#refuse("E_INTERNAL", undefined, 1_000);
        this.#core.onProblem("E_INTERNAL", String(error));
      }
    }
  }

  #handle(frame: ClientFrame): void {
    const phase = this.#phase;
    switch (frame.t) {
      case "input":
        if (phase.name === "routed") phase.route.input(frame);
        else this.#unrouted(phase);
        return;
      case "ack":
        if (phase.name === "routed") phase.route.ack(frame);
        else this.#unrouted(phase);
        return;
      case "ping":
        this.#sendFrame({ t: "pong", nonce: frame.nonce });
        return;
      case "pong":
        return;
      case "bye":
        this.#leave("leave");
        this.#end(1000);
        return;
      case "hello":
        this.#hello(frame);
        return;
      default:
        throw new SojournError("E_FRAME_MALFORMED", `${frame.t} is a frame of nodes`);
    }
  }

  /** A frame for a session while there is no route. On a spare it was under way when the link left, and comes again elsewhere. */
  #unrouted(phase: Phase): void {
    if (phase.name === "waiting" && phase.spare) return;
    throw new SojournError("E_FRAME_MALFORMED", "a message before the welcome");
  }

  #hello(hello: ClientFrameOf<"hello">): void {
    if (this.#phase.name === "checking") throw new SojournError("E_FRAME_MALFORMED", "a second hello before the first was answered");
    if (hello.protocol !== CLIENT_PROTOCOL) {
      throw new SojournError("E_PROTOCOL_VERSION", `this node speaks version ${CLIENT_PROTOCOL}, the client ${hello.protocol}`);
    }
    parseSessionKey(hello.session);
    const { link, token, nextToken } = hello;
    if (link.length < MIN_LINK_CHARACTERS || link.length > MAX_SECRET_CHARACTERS) {
      throw new SojournError("E_FRAME_MALFORMED", `a link id has ${MIN_LINK_CHARACTERS} to ${MAX_SECRET_CHARACTERS} characters`);
    }
    if (token.length > MAX_SECRET_CHARACTERS || nextToken.length > MAX_SECRET_CHARACTERS) {
      throw new SojournError("E_FRAME_MALFORMED", `a token has at most ${MAX_SECRET_CHARACTERS} characters`);
    }
    this.#leave("detach");
    this.#phase = { name: "checking", deadlineMs: this.#core.clock.now() + this.#core.limits.helloTimeoutMs, hello };
    let user: unknown;
    try {
      user = this.#core.authenticate(hello.auth, hello.session);
    } catch (error) {
      this.#refuseUser(hello, error);
      return;
    }
    if (!isThenable(user)) this.#admit(hello, user);
    else {
      user.then(
        (settled) => this.#admit(hello, settled),
        (error) => this.#refuseUser(hello, error),
      );
    }
  }

  #isChecking(hello: ClientFrameOf<"hello">): boolean {
    return this.#phase.name === "checking" && this.#phase.hello === hello;
  }

  #admit(hello: ClientFrameOf<"hello">, user: unknown): void {
    if (!this.#isChecking(hello)) return;
    try {
      const route = this.#core.router.open(this, hello, user);
      // Not so when the router refused the hello at once, or the welcome was too much for this socket.
      if (this.#isChecking(hello)) this.#phase = { name: "routed", route };
      else route.detach();
    } catch (error) {
      this.#refuse(errorCodeOf(error), error instanceof SojournError ? error.message : undefined, 1_000);
      this.#core.onProblem(errorCodeOf(error), String(error));
    }
  }

  /** Only an error made for clients is shown to them; anything else may hold secrets. */
  #refuseUser(hello: ClientFrameOf<"hello">, error: unknown): void {
    if (!this.#isChecking(hello)) return;
    this.#refuse("E_AUTH_REFUSED", error instanceof SojournError ? error.message : undefined, 0);
  }

  // endings

  /** Gives up the route, if there is one; the socket becomes a spare. */
  #leave(how: "leave" | "detach"): void {
    const phase = this.#phase;
    if (phase.name !== "routed") return;
    this.#phase = this.#spare();
    phase.route[how]();
  }

  #spare(): Phase {
    return { name: "waiting", deadlineMs: this.#core.clock.now() + this.#core.limits.spareSocketMs, spare: true };
  }

  #sendFrame(frame: ClientFrame): void {
    this.send(encodeClientFrame(this.#core.scratch, frame));
  }

  /** Names the problem to the client and closes. `ws` closes by itself when it saw the violation. */
  #refuse(code: string, message: string = ERRORS[code as ErrorCode] ?? code, retryAfterMs = 0, close = true): void {
    if (this.#phase.name === "closed") return;
    this.#leave("detach");
    this.#ws.send(encodeClientFrame(this.#core.scratch, { t: "problem", code, message, fatal: true, retryAfterMs }), SEND_OPTIONS);
    this.#core.onProblem(code, message);
    if (close) this.#end(code === "E_NODE_STOPPING" ? 1012 : retryAfterMs > 0 ? 1013 : 1008);
    else this.#phase = CLOSED;
  }

  #end(closeCode: number): void {
    this.#phase = CLOSED;
    this.#ws.onViolation = null;
    this.#ws.close(closeCode);
  }

  #closed(): void {
    this.#leave("detach");
    this.#phase = CLOSED;
    this.#core.forget(this);
  }
}

const CLOSED: Phase = { name: "closed" };
const SEND_OPTIONS = { binary: true, compress: false, fin: true } as const;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
