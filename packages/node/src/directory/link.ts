import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import {
  type Clock,
  DIRECTORY_MAGIC,
  DIRECTORY_PROTOCOL,
  type DirectoryReply,
  type DirectoryRequest,
  decodeDirectoryReply,
  errorCodeOf,
  isErrorCode,
  type Limits,
  type Random,
  type Scheduled,
  SojournError,
  writeDirectoryRequest,
} from "@sojourn/core";
import { FrameSocket, type FrameSocketIo } from "./frame-socket.js";

/** What a link runs on. */
export interface LinkOptions {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly tls?: ConnectionOptions;
}

/** Who uses the link. */
export interface LinkUser {
  /** Connected and greeted; what was sent on an earlier connection and not answered is lost. */
  onUp(): void;
  onReply(reply: Exclude<DirectoryReply, { t: "welcome" | "problem" }>): void;
  /** The connection is gone; a new one is being made. Told after each `onUp`, and after each failed attempt. */
  onDown(error: SojournError): void;
}

type State =
  | { readonly phase: "opening" | "up"; readonly frames: FrameSocket; task: Scheduled }
  | { readonly phase: "waiting"; readonly task: Scheduled }
  | { readonly phase: "closed" };

/** One connection to the directory, made again for as long as the link is open. */
export class DirectoryLink {
  readonly #options: LinkOptions;
  readonly #io: FrameSocketIo;
  readonly #user: LinkUser;
  readonly #address: { readonly host: string; readonly port: number };
  #attempts = 0;
  #state: State;

  constructor(options: LinkOptions, io: FrameSocketIo, user: LinkUser) {
    this.#options = options;
    this.#io = io;
    this.#user = user;
    this.#address = parseEndpoint(options.endpoint);
    // Never inside the constructor: its user is not ready to be told.
    this.#state = { phase: "waiting", task: options.clock.schedule(0, () => this.#open()) };
  }

  get isUp(): boolean {
    return this.#state.phase === "up";
  }

  /** Queues a request; false when there is no connection. @throws SojournError `E_FRAME_TOO_LARGE` */
  send(request: DirectoryRequest, urgent = false): boolean {
    const state = this.#state;
    return state.phase === "up" && state.frames.send((writer) => writeDirectoryRequest(writer, request), urgent);
  }

  close(): void {
    const state = this.#state;
    if (state.phase === "closed") return;
    this.#state = { phase: "closed" };
    state.task.cancel();
    if (state.phase !== "waiting") state.frames.end(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory client is closed"));
  }

  #open(): void {
    const { clock, limits, tls } = this.#options;
    const socket: Socket = tls === undefined ? connectTcp(this.#address) : connectTls({ ...tls, ...this.#address });
    socket.setNoDelay(true);
    let failure: SojournError | null = null;
    const frames: FrameSocket = new FrameSocket(this.#io, socket, {
      onFrame: (frame) => {
        const reply = decodeDirectoryReply(frame);
        if (reply.t === "welcome") this.#welcome(frames, reply.protocol);
        else if (reply.t === "problem") failure = problemError(reply.code, reply.message);
        else if (this.#state.phase === "up") this.#user.onReply(reply);
        else throw new SojournError("E_FRAME_MALFORMED", "the first frame must be a welcome");
      },
      onBadFrame: (error) => frames.destroy(error),
      onClosed: (error) => this.#gone(frames, failure ?? error),
    });
    const task = clock.schedule(limits.peerConnectTimeoutMs, () =>
      frames.destroy(new SojournError("E_DIRECTORY_UNAVAILABLE", `no welcome from ${this.#options.endpoint} in time`)),
    );
    this.#state = { phase: "opening", frames, task };
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      frames.send((writer) => writeDirectoryRequest(writer, { t: "hello", magic: DIRECTORY_MAGIC, protocol: DIRECTORY_PROTOCOL }));
    });
  }

  #welcome(frames: FrameSocket, protocol: number): void {
    const state = this.#state;
    if (state.phase !== "opening" || state.frames !== frames) return;
    if (protocol !== DIRECTORY_PROTOCOL) throw new SojournError("E_PROTOCOL_VERSION", `the directory speaks version ${protocol}`);
    state.task.cancel();
    this.#attempts = 0;
    this.#state = { phase: "up", frames, task: this.#armHeartbeat(frames, false) };
    this.#user.onUp();
  }

  /** A connection whose other end is gone without a word shows it only by silence. */
  #armHeartbeat(frames: FrameSocket, asked: boolean): Scheduled {
    frames.heard = false;
    const { clock, limits } = this.#options;
    return clock.schedule(limits.directoryTimeoutMs, () => {
      const state = this.#state;
      if (state.phase !== "up" || state.frames !== frames) return;
      if (frames.heard) state.task = this.#armHeartbeat(frames, false);
      else if (asked) frames.destroy(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory has fallen silent"));
      else {
        this.send({ t: "ping", id: 0 });
        state.task = this.#armHeartbeat(frames, true);
      }
    });
  }

  #gone(frames: FrameSocket, error: SojournError): void {
    const state = this.#state;
    if (state.phase === "closed" || state.phase === "waiting" || state.frames !== frames) return;
    state.task.cancel();
    const { clock, limits, random } = this.#options;
    const ceilingMs = Math.min(limits.peerReconnectMaxMs, limits.directoryRetryMs * 2 ** Math.min(this.#attempts++, 30));
    const delayMs = ceilingMs * (0.5 + random.next() / 2);
    this.#state = { phase: "waiting", task: clock.schedule(delayMs, () => this.#open()) };
    this.#user.onDown(error);
  }
}

/** @throws SojournError `E_CONFIG_INVALID` */
function parseEndpoint(endpoint: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(endpoint);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new SojournError("E_CONFIG_INVALID", `"${endpoint.slice(0, 80)}" is not a directory's endpoint; expected host:port`);
  }
  return { host, port };
}

/** The error a peer named, or `E_DIRECTORY_UNAVAILABLE` for a code of a later version. */
export function problemError(code: string, message: string): SojournError {
  return isErrorCode(code) ? new SojournError(code, message) : new SojournError("E_DIRECTORY_UNAVAILABLE", `${code}: ${message}`);
}

/** True for an error that more attempts do not mend. */
export function isLasting(error: SojournError): boolean {
  return errorCodeOf(error) !== "E_DIRECTORY_UNAVAILABLE";
}
