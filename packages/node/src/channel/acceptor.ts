import type { Socket } from "node:net";
import { type ErrorCode, type NodeRef, nodeIdOf, type Scheduled, SojournError } from "@sojourn/core";
import { decodeHello, type Hello, KIND } from "./channel-frames.js";
import type { ChannelIo } from "./channel-io.js";
import { LaneSocket, type LaneUser } from "./lane-socket.js";

/** Hears what an acceptor finds. */
export interface AcceptorUser {
  /** A well-formed hello by somebody who may speak for that node. Must `hand` or `refuse` the lane during the call. */
  onHello(lane: LaneSocket, hello: Hello): void;
  /** Why this socket may not speak for the node; null when it may. */
  objectionTo(nodeId: string, socket: Socket): string | null;
  onProblem(peer: NodeRef | null, code: ErrorCode, message: string): void;
}

/** Inbound sockets until they have said who they are: bounded in number, size and time. */
export class Acceptor implements LaneUser {
  readonly #io: ChannelIo;
  readonly #user: AcceptorUser;
  readonly #pending = new Map<LaneSocket, Scheduled>();
  #closed = false;

  constructor(io: ChannelIo, user: AcceptorUser) {
    this.#io = io;
    this.#user = user;
  }

  accept(socket: Socket): void {
    const { limits, clock } = this.#io;
    if (this.#closed) {
      socket.destroy();
      return;
    }
    if (this.#pending.size >= limits.maxPeerHandshakes) {
      socket.on("error", () => {});
      socket.destroy();
      this.#user.onProblem(null, "E_QUEUE_FULL", `more than ${limits.maxPeerHandshakes} connections have not said hello`);
      return;
    }
    const lane = new LaneSocket(this.#io, socket, this);
    const late = clock.schedule(limits.peerConnectTimeoutMs, () => this.#expire(lane));
    this.#pending.set(lane, late);
  }

  #settle(lane: LaneSocket): void {
    this.#pending.get(lane)?.cancel();
    this.#pending.delete(lane);
  }

  #expire(lane: LaneSocket): void {
    this.#settle(lane);
    lane.destroy();
    this.#user.onProblem(null, "E_PEER_UNREACHABLE", `no hello within ${this.#io.limits.peerConnectTimeoutMs} ms`);
  }

  onFrame(lane: LaneSocket, kind: number, payload: Uint8Array): void {
    if (kind !== KIND.hello) throw new SojournError("E_FRAME_MALFORMED", `frame of kind ${kind} instead of a hello`);
    const hello = decodeHello(payload);
    this.#settle(lane);
    const objection = this.#user.objectionTo(nodeIdOf(hello.from), lane.socket);
    if (objection === null) {
      this.#user.onHello(lane, hello);
      return;
    }
    lane.refuse("E_PEER_IDENTITY", objection);
    this.#user.onProblem(null, "E_PEER_IDENTITY", objection);
  }

  onArrivalEnd(): void {}

  onDrained(): void {}

  onClosed(lane: LaneSocket, code: ErrorCode, message: string): void {
    this.#settle(lane);
    // Leaving without a word is no problem: probes do it, and a dial that was overtaken by the other side's.
    if (code !== "E_PEER_UNREACHABLE") this.#user.onProblem(null, code, message);
  }

  /** Drops everybody who has not said hello, now and later. */
  close(): void {
    this.#closed = true;
    for (const lane of [...this.#pending.keys()]) {
      this.#settle(lane);
      lane.destroy();
    }
  }
}
