import type { Socket } from "node:net";
import { type ErrorCode, type NodeRef, nodeIdOf, type Scheduled, SojournError } from "@sojourn/core";
import { decodeNumber, decodeRefusal, encodeHello, type Hello, KIND } from "./channel-frames.js";
import type { ChannelIo } from "./channel-io.js";
import { LaneSocket, type LaneUser } from "./lane-socket.js";
import { type ChannelTls, codeOfSocketError, isRefusal, openSocket } from "./transport.js";

/** How dialling ended. On success the lane belongs to the caller, who must `hand` it on during the call. */
export type DialResult =
  | { readonly outcome: "welcomed"; readonly lane: LaneSocket; readonly hello: Hello; readonly stamp: number }
  | { readonly outcome: "refused"; readonly code: string; readonly message: string }
  /** `nobodyListens`: the host has answered that there is no such process. */
  | { readonly outcome: "failed"; readonly code: ErrorCode; readonly message: string; readonly nobodyListens: boolean };

/** What to dial. */
export interface DialTarget {
  readonly address: string;
  readonly peer: NodeRef;
  readonly tls: ChannelTls | undefined;
  /** Made at the moment it is sent, so that its stamp tells what came after what. */
  readonly hello: () => Hello;
}

type Phase =
  | { readonly at: "connecting"; readonly socket: Socket }
  | { readonly at: "greeted"; readonly lane: LaneSocket; readonly hello: Hello }
  | { readonly at: "over" };

/** One attempt to open one lane: connect, say hello, wait for the welcome. Ends exactly once, or is abandoned. */
export class Dial implements LaneUser {
  readonly #done: (result: DialResult) => void;
  readonly #timeout: Scheduled;
  #phase: Phase;

  /** `done` is never called inside the constructor. @throws SojournError `E_CONFIG_INVALID` for a malformed address. */
  constructor(io: ChannelIo, target: DialTarget, done: (result: DialResult) => void) {
    this.#done = done;
    const socket = openSocket(target.address, nodeIdOf(target.peer), target.tls, () => this.#greet(io, socket, target.hello()));
    let error: Error | null = null;
    socket.on("error", (thrown) => {
      error = thrown;
    });
    socket.once("close", () => {
      if (this.#phase.at !== "connecting") return;
      this.#fail(codeOfSocketError(error), error?.message ?? "the connection was closed", isRefusal(error));
    });
    this.#phase = { at: "connecting", socket };
    const limitMs = io.limits.peerConnectTimeoutMs;
    this.#timeout = io.clock.schedule(limitMs, () => this.#fail("E_PEER_UNREACHABLE", `no connection within ${limitMs} ms`));
  }

  /** True once the other side may have seen our hello. */
  get hasGreeted(): boolean {
    return this.#phase.at === "greeted";
  }

  /** Closes without a result. */
  abandon(): void {
    const phase = this.#phase;
    this.#phase = { at: "over" };
    this.#timeout.cancel();
    if (phase.at === "connecting") phase.socket.destroy();
    else if (phase.at === "greeted") phase.lane.destroy();
  }

  #greet(io: ChannelIo, socket: Socket, hello: Hello): void {
    if (this.#phase.at !== "connecting") return;
    const lane = new LaneSocket(io, socket, this);
    this.#phase = { at: "greeted", lane, hello };
    lane.send(KIND.hello, encodeHello(hello));
  }

  #fail(code: ErrorCode, message: string, nobodyListens = false): void {
    if (this.#phase.at === "over") return;
    this.abandon();
    this.#done({ outcome: "failed", code, message, nobodyListens });
  }

  onFrame(lane: LaneSocket, kind: number, payload: Uint8Array): void {
    if (this.#phase.at !== "greeted") return;
    const { hello } = this.#phase;
    if (kind === KIND.welcome) {
      const stamp = decodeNumber(payload);
      this.#phase = { at: "over" };
      this.#timeout.cancel();
      this.#done({ outcome: "welcomed", lane, hello, stamp });
    } else if (kind === KIND.refuse) {
      const { code, message } = decodeRefusal(payload);
      this.abandon();
      this.#done({ outcome: "refused", code, message });
    } else {
      throw new SojournError("E_FRAME_MALFORMED", `frame of kind ${kind} before the welcome`);
    }
  }

  onArrivalEnd(): void {}

  onDrained(): void {}

  onClosed(_lane: LaneSocket, code: ErrorCode, message: string): void {
    this.#fail(code, message);
  }
}
