import type { Socket } from "node:net";
import { type ErrorCode, type Scheduled, SojournError } from "@sojourn/core";
import { encodeRefusal, KIND, MAX_HANDSHAKE_BYTES } from "./channel-frames.js";
import type { ChannelIo } from "./channel-io.js";
import { FrameParser } from "./frame-parser.js";
import type { Flushable } from "./tick-flusher.js";
import { codeOfSocketError } from "./transport.js";
import { WriteBatch } from "./write-batch.js";

/** Who uses a lane: the handshake first, then the pair. Calls come from the event loop, never inside a call to the lane. */
export interface LaneUser {
  /** One frame; the payload is only valid during the call. A SojournError thrown here ends the connection with its code. */
  onFrame(lane: LaneSocket, kind: number, payload: Uint8Array): void;
  /** Everything that arrived together was handled. */
  onArrivalEnd(lane: LaneSocket): void;
  /** The kernel has taken all that was queued. */
  onDrained(lane: LaneSocket): void;
  /** The connection ended, and not because this side closed it. Told once. */
  onClosed(lane: LaneSocket, code: ErrorCode, message: string): void;
}

/** One connected socket: cuts input into frames, gathers output per tick, ends exactly once. */
export class LaneSocket implements Flushable {
  readonly socket: Socket;
  readonly #io: ChannelIo;
  readonly #parser: FrameParser;
  readonly #batch = new WriteBatch();
  /** Who wants to know when the kernel has a buffer. */
  readonly #told = new Map<Uint8Array, (frame: Uint8Array) => void>();
  #user: LaneUser;
  #marked = false;
  #open = true;
  #error: Error | null = null;
  #linger: Scheduled | null = null;
  /** True when bytes arrived since the owner last set it to false; heartbeats look at it. */
  heard = true;

  constructor(io: ChannelIo, socket: Socket, user: LaneUser) {
    this.#io = io;
    this.socket = socket;
    this.#user = user;
    this.#parser = new FrameParser(MAX_HANDSHAKE_BYTES, this.#onFrame);
    io.lanes.add(this);
    socket.on("data", this.#onData);
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("drain", () => {
      if (this.#open) this.#user.onDrained(this);
    });
    socket.on("end", () => this.#onGone());
    socket.on("close", () => {
      this.#linger?.cancel();
      io.lanes.delete(this);
      this.#onGone();
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Bytes that are not yet in the kernel's hands. */
  get queuedBytes(): number {
    return this.#batch.bytes + this.socket.writableLength;
  }

  /** The handshake is done: frames go to `user` and may be of full size. */
  hand(user: LaneUser): void {
    this.#user = user;
    this.#parser.maxBodyBytes = this.#io.limits.maxPeerFrameBytes;
  }

  /** Queues a frame; the payload is copied. */
  send(kind: number, payload: Uint8Array): void {
    if (!this.#open) return;
    this.#batch.append(kind, payload);
    this.#queued();
  }

  /** Like `send`, and writes at once when nothing else is queued: an idle channel waits for nobody, a busy one keeps its batch. */
  sendNow(kind: number, payload: Uint8Array): void {
    const alone = !this.#marked;
    this.send(kind, payload);
    if (alone) this.flush();
  }

  /** Frames that arrive in parts may share their memory: whoever is handed one keeps nothing of it. */
  reuseBodies(): void {
    this.#parser.reuseBodies = true;
  }

  /** Queues a whole frame and keeps it until the kernel has it; then `written` is told. */
  sendWhole(frame: Uint8Array, written?: (frame: Uint8Array) => void): void {
    if (!this.#open) return;
    if (written !== undefined) this.#told.set(frame, written);
    this.#batch.appendWhole(frame);
    this.#queued();
  }

  #queued(): void {
    this.#io.counters.framesSent++;
    if (this.#marked) return;
    this.#marked = true;
    this.#io.flusher.mark(this);
  }

  flush(): void {
    this.#marked = false;
    if (this.#batch.bytes === 0 || this.socket.destroyed) return;
    const { counters } = this.#io;
    counters.writes++;
    counters.bytesSent += this.#batch.bytes;
    const buffers = this.#batch.take();
    const first = buffers[0];
    if (buffers.length === 1 && first !== undefined) {
      this.#write(first);
      return;
    }
    this.socket.cork();
    for (const buffer of buffers) this.#write(buffer);
    this.socket.uncork();
  }

  #write(buffer: Uint8Array): void {
    const written = this.#told.get(buffer);
    if (written === undefined) {
      this.socket.write(buffer);
      return;
    }
    this.#told.delete(buffer);
    this.socket.write(buffer, () => written(buffer));
  }

  /** Tells the other side why and closes. */
  refuse(code: string, message: string): void {
    this.send(KIND.refuse, encodeRefusal({ code, message }));
    this.close();
  }

  /**
   * Writes out what was queued and closes. Input that still arrives is read and dropped for a moment: closing over unread
   * input would reset the connection and take the last frames with it.
   */
  close(): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    if (this.socket.destroyed) return;
    this.#linger = this.#io.clock.schedule(this.#io.limits.peerConnectTimeoutMs, () => this.socket.destroy());
    this.socket.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#open = false;
    this.#linger?.cancel();
    this.socket.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (!this.#open) return;
    this.heard = true;
    this.#io.counters.bytesReceived += chunk.length;
    try {
      this.#parser.push(chunk);
      if (this.#open) this.#user.onArrivalEnd(this);
    } catch (error) {
      if (!(error instanceof SojournError)) throw error;
      if (!this.#open) return;
      this.refuse(error.code, error.message);
      this.#user.onClosed(this, error.code, error.message);
    }
  };

  readonly #onFrame = (bytes: Uint8Array, start: number, end: number): boolean => {
    this.#io.counters.framesReceived++;
    // A plain view, not a Buffer: Buffer's slice does not copy, and the layers above must be able to rely on slice.
    const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + start + 1, end - start - 1);
    this.#user.onFrame(this, bytes[start] as number, payload);
    return this.#open;
  };

  #onGone(): void {
    if (!this.#open) {
      this.socket.destroy();
      return;
    }
    this.destroy();
    this.#user.onClosed(this, codeOfSocketError(this.#error), this.#error?.message ?? "the connection was closed by the other side");
  }
}
