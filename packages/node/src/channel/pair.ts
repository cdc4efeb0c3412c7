import { type ErrorCode, isErrorCode, type Lane, type NodeRef, type SendOutcome, SojournError } from "@sojourn/core";
import { BulkQueue } from "./bulk-queue.js";
import { decodeNumber, decodeRefusal, encodeNumber, FRAME_HEAD_BYTES, KIND, wholeFrame } from "./channel-frames.js";
import type { ChannelIo } from "./channel-io.js";
import type { Dial, DialResult } from "./dial.js";
import { FramePool } from "./frame-pool.js";
import type { LaneSocket, LaneUser } from "./lane-socket.js";
import type { RttEstimate } from "./rtt.js";

/** Hears of a pair. */
export interface PairOwner {
  /** Whether this node is still the incarnation the pair was opened for. */
  isSelf(ref: NodeRef): boolean;
  onMessage(peer: NodeRef, message: Uint8Array): void;
  /** The pair ended by itself. Told once. */
  onPairClosed(pair: Pair, code: ErrorCode, message: string): void;
}

/** Who and what a pair connects. */
export interface PairIdentity {
  readonly self: NodeRef;
  readonly peer: NodeRef;
  /** Newest stamp seen of the other side when the pair was opened; an older hello is a late one. */
  readonly peerStamp: number;
  /** Stamp of the control lane's hello; the bulk lane's hello names it. */
  readonly pairStamp: number;
  /** Which side dialled. */
  readonly dialled: boolean;
}

/** A part of the queue that bulk cannot take, so that control messages still find room behind a full bulk backlog. */
const CONTROL_SHARE = 1 / 8;

/** Bulk handed to the socket at a time. */
const BULK_BURST_BYTES = 262_144;

/**
 * A standing connection between two incarnations: a socket for control, one for bulk. They live and die together, so that
 * nothing is lost on one lane without the user hearing of it. Bulk waits until its socket stands.
 */
export class Pair implements LaneUser {
  readonly identity: PairIdentity;
  readonly #io: ChannelIo;
  readonly #owner: PairOwner;
  readonly #rtt: RttEstimate;
  readonly #control: LaneSocket;
  #bulk: LaneSocket | null = null;
  #bulkDial: Dial | null = null;
  readonly #queue: BulkQueue;
  readonly #pool = new FramePool();
  #open = true;
  #consumedBytes = 0;
  #controlSilentMs = 0;
  #bulkSilentMs = 0;
  /** True when a ping was answered since the owner last set it to false. */
  answered = true;
  #pingNonce = 0;
  #pingSentMs: number | null = null;

  constructor(io: ChannelIo, owner: PairOwner, identity: PairIdentity, control: LaneSocket, rtt: RttEstimate) {
    this.#io = io;
    this.#owner = owner;
    this.identity = identity;
    this.#control = control;
    this.#rtt = rtt;
    this.#queue = new BulkQueue(io.limits.bulkWindowBytes);
    control.hand(this);
    this.#ping();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Bytes that are not yet in the kernel's hands. */
  get queuedBytes(): number {
    return this.#control.queuedBytes + this.#bulkQueuedBytes;
  }

  get #bulkQueuedBytes(): number {
    return this.#queue.queuedBytes + (this.#bulk?.queuedBytes ?? 0);
  }

  /** Opens the bulk lane from this side. */
  dialBulk(open: (done: (result: DialResult) => void) => Dial): void {
    this.#bulkDial = open((result) => {
      this.#bulkDial = null;
      if (result.outcome === "welcomed") this.attachBulk(result.lane);
      else this.#fail(isErrorCode(result.code) ? result.code : "E_PEER_UNREACHABLE", `bulk lane: ${result.message}`);
    });
  }

  get hasBulk(): boolean {
    return this.#bulk !== null;
  }

  /** The bulk lane stands; there must be none yet. */
  attachBulk(lane: LaneSocket): void {
    this.#bulk = lane;
    this.#bulkSilentMs = 0;
    lane.hand(this);
    lane.reuseBodies();
    this.#pumpBulk(lane);
  }

  /** The message is copied. */
  send(lane: Lane, message: Uint8Array, urgent: boolean): SendOutcome {
    const size = FRAME_HEAD_BYTES + message.length;
    const { maxPeerQueueBytes } = this.#io.limits;
    if (this.queuedBytes + size > (lane === "control" ? maxPeerQueueBytes : maxPeerQueueBytes * (1 - CONTROL_SHARE))) return "full";
    if (lane === "control") {
      if (urgent) this.#control.sendNow(KIND.message, message);
      else this.#control.send(KIND.message, message);
      return "queued";
    }
    this.#queue.push(wholeFrame(KIND.message, message, this.#pool.take(size)));
    if (this.#bulk !== null) this.#pumpBulk(this.#bulk);
    return "queued";
  }

  /** Hands bulk over in bursts: one write of a whole window would hold up the event loop, and control with it. */
  #pumpBulk(bulk: LaneSocket): void {
    while (bulk.queuedBytes < BULK_BURST_BYTES) {
      const frame = this.#queue.next();
      if (frame === null) return;
      bulk.sendWhole(frame, this.#written);
    }
  }

  readonly #written = (frame: Uint8Array): void => {
    if (this.#open) this.#pool.give(frame);
  };

  onFrame(lane: LaneSocket, kind: number, payload: Uint8Array): void {
    if (kind === KIND.message) {
      if (!this.#owner.isSelf(this.identity.self)) {
        this.#fail("E_PEER_INCARNATION", "this node has joined again as another incarnation");
        return;
      }
      this.#owner.onMessage(this.identity.peer, payload);
      if (lane === this.#bulk) this.#consumedBytes += FRAME_HEAD_BYTES + payload.length;
    } else if (kind === KIND.refuse) {
      const { code, message } = decodeRefusal(payload);
      this.#fail(isErrorCode(code) ? code : "E_PEER_UNREACHABLE", `the other side closed: ${message}`);
    } else if (kind === KIND.ping) {
      // On the bulk lane a ping only shows that the lane lives: an answer would wait behind the backlog and prove nothing more.
      if (lane === this.#control) lane.send(KIND.pong, payload);
    } else if (kind === KIND.pong && lane === this.#control) {
      if (decodeNumber(payload) !== this.#pingNonce || this.#pingSentMs === null) return;
      this.#rtt.add(this.#io.clock.now() - this.#pingSentMs);
      this.#pingSentMs = null;
      this.answered = true;
    } else if (kind === KIND.credit && lane === this.#control) {
      this.#queue.credit(decodeNumber(payload));
      if (this.#queue.inFlightBytes === 0 && this.#queue.queuedBytes === 0) this.#pool.clear();
      if (this.#bulk !== null) this.#pumpBulk(this.#bulk);
    } else {
      throw new SojournError("E_FRAME_MALFORMED", `frame of kind ${kind} is not known on this lane`);
    }
  }

  /** Credits go over the control lane, so that two full bulk lanes cannot hold up each other's credits. */
  onArrivalEnd(): void {
    if (this.#consumedBytes === 0 || !this.#open) return;
    this.#control.send(KIND.credit, encodeNumber(this.#consumedBytes));
    this.#consumedBytes = 0;
  }

  onDrained(lane: LaneSocket): void {
    if (lane === this.#bulk) this.#pumpBulk(lane);
  }

  onClosed(_lane: LaneSocket, code: ErrorCode, message: string): void {
    this.#fail(code, message);
  }

  /** One heartbeat: looks for silence, then shows that this side lives. `elapsedMs` is the time since the last one. */
  beat(elapsedMs: number): void {
    const { peerTimeoutMs, peerConnectTimeoutMs } = this.#io.limits;
    this.#controlSilentMs = silence(this.#control, this.#controlSilentMs, elapsedMs);
    this.#bulkSilentMs = silence(this.#bulk, this.#bulkSilentMs, elapsedMs);
    const bulkLimitMs = this.#bulk === null ? peerConnectTimeoutMs : peerTimeoutMs;
    if (this.#controlSilentMs > peerTimeoutMs) {
      this.#fail("E_PEER_UNREACHABLE", `nothing heard for ${Math.round(this.#controlSilentMs)} ms`);
    } else if (this.#bulkSilentMs > bulkLimitMs) {
      this.#fail("E_PEER_UNREACHABLE", `nothing heard on the bulk lane for ${Math.round(this.#bulkSilentMs)} ms`);
    } else {
      this.#ping();
    }
  }

  #ping(): void {
    if (this.#pingSentMs === null) {
      this.#pingNonce++;
      this.#pingSentMs = this.#io.clock.now();
    }
    const nonce = encodeNumber(this.#pingNonce);
    this.#control.send(KIND.ping, nonce);
    this.#bulk?.send(KIND.ping, nonce);
  }

  #fail(code: ErrorCode, message: string): void {
    if (!this.#open) return;
    this.#shut("destroy");
    this.#owner.onPairClosed(this, code, message);
  }

  /** Ends the pair without telling the owner. `close` writes out what is queued and not waiting for credit; `destroy` drops it. */
  end(how: "close" | "destroy"): void {
    if (this.#open) this.#shut(how);
  }

  #shut(how: "close" | "destroy"): void {
    this.#open = false;
    this.#bulkDial?.abandon();
    for (const lane of [this.#control, this.#bulk]) {
      // A lane that is closed already may be lingering to tell the other side why; let it.
      if (lane?.isOpen === true) lane[how]();
    }
  }
}

/** How long a lane has been silent after one more heartbeat interval; `heard` is consumed. */
function silence(lane: LaneSocket | null, silentMs: number, elapsedMs: number): number {
  if (lane?.heard !== true) return silentMs + elapsedMs;
  lane.heard = false;
  return 0;
}
