import type { Socket } from "node:net";
import { ByteWriter, type Clock, type Crc32, type Scheduled, SojournError } from "@sojourn/core";
import { FrameParser } from "../channel/frame-parser.js";
import type { Flushable, TickFlusher } from "../channel/tick-flusher.js";

/** What both ends of a directory connection share. */
export interface FrameSocketIo {
  readonly crc32: Crc32;
  readonly flusher: TickFlusher;
  readonly clock: Clock;
  /** How long a connection that was ended waits for the other side to end it too. */
  readonly lingerMs: number;
  readonly maxSentBytes: number;
  readonly maxReceivedBytes: number;
}

/** Who uses the socket. */
export interface FrameSocketUser {
  /** One frame's type and fields, valid during the call only. A SojournError thrown here counts as a bad frame. */
  onFrame(frame: Uint8Array): void;
  /** The other side broke the grammar; the socket ends right after this call and what was queued still goes out. */
  onBadFrame(error: SojournError): void;
  /** The connection is over, whoever ended it. Told once, never inside a call to the socket. */
  onClosed(error: SojournError): void;
}

/**
 * Frames over one TCP or TLS socket: u32 length of what follows, u32 CRC-32 of the rest, type and fields. Output is gathered
 * and written once at the end of the tick; what is queued as urgent goes out first.
 */
export class FrameSocket implements Flushable {
  readonly socket: Socket;
  readonly #io: FrameSocketIo;
  readonly #user: FrameSocketUser;
  readonly #scratch = new ByteWriter(256);
  readonly #urgent = new ByteWriter(256);
  readonly #normal = new ByteWriter(4_096);
  /** True when bytes arrived since its owner last set it to false. */
  heard = false;
  #marked = false;
  #open = true;
  #closing = false;
  #linger: Scheduled | null = null;
  #reason: SojournError | null = null;

  constructor(io: FrameSocketIo, socket: Socket, user: FrameSocketUser) {
    this.#io = io;
    this.socket = socket;
    this.#user = user;
    const parser = new FrameParser(io.maxReceivedBytes, this.#onBody);
    socket.on("data", (chunk: Uint8Array) => this.#onData(parser, chunk));
    socket.on("error", (error) => {
      this.#reason ??= new SojournError("E_DIRECTORY_UNAVAILABLE", `the connection failed: ${error.message}`, {}, error);
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      this.#open = false;
      this.#linger?.cancel();
      user.onClosed(this.#reason ?? new SojournError("E_DIRECTORY_UNAVAILABLE", "the connection was closed by the other side"));
    });
  }

  /** Bytes that are not yet in the kernel's hands. */
  get queuedBytes(): number {
    return this.#urgent.length + this.#normal.length + this.socket.writableLength;
  }

  /**
   * Queues one frame; false when the socket is over.
   * @param write appends the type and the fields
   * @throws SojournError `E_FRAME_TOO_LARGE`; nothing was queued
   */
  send(write: (writer: ByteWriter) => void, urgent = false): boolean {
    if (!this.#open || this.#closing) return false;
    const scratch = this.#scratch;
    write(scratch);
    const frame = scratch.take();
    if (frame.length + 4 > this.#io.maxSentBytes) {
      throw new SojournError("E_FRAME_TOO_LARGE", `frame of ${frame.length + 4} bytes; the limit is ${this.#io.maxSentBytes}`);
    }
    const writer = urgent ? this.#urgent : this.#normal;
    writer.u32(frame.length + 4);
    writer.u32(this.#io.crc32(frame));
    writer.raw(frame);
    if (!this.#marked) {
      this.#marked = true;
      this.#io.flusher.mark(this);
    }
    return true;
  }

  flush(): void {
    this.#marked = false;
    if (this.#urgent.length + this.#normal.length === 0) return;
    const urgent = this.#urgent.take();
    const normal = this.#normal.take();
    if (!this.#open) return;
    this.socket.cork();
    if (urgent.length > 0) this.socket.write(urgent);
    if (normal.length > 0) this.socket.write(normal);
    this.socket.uncork();
  }

  /**
   * Writes what is queued and closes. Input that still arrives is dropped for a moment: closing over unread input would reset
   * the connection and take the last frames with it.
   */
  end(reason: SojournError): void {
    if (!this.#open || this.#closing) return;
    this.flush();
    this.#closing = true;
    this.#reason ??= reason;
    this.socket.resume();
    this.socket.end();
    this.#linger = this.#io.clock.schedule(this.#io.lingerMs, () => this.socket.destroy());
  }

  /** Closes at once. */
  destroy(reason: SojournError): void {
    this.#closing = true;
    this.#reason ??= reason;
    this.socket.destroy();
  }

  #onData(parser: FrameParser, chunk: Uint8Array): void {
    if (this.#closing) return;
    this.heard = true;
    try {
      parser.push(chunk);
    } catch (error) {
      if (!(error instanceof SojournError)) throw error;
      this.#onBadFrame(error);
    }
  }

  readonly #onBody = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (end - start < 5) throw new SojournError("E_FRAME_MALFORMED", "frame is cut short");
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, 4);
    // A plain view, not a Buffer: Buffer's slice does not copy.
    const frame = new Uint8Array(bytes.buffer, bytes.byteOffset + start + 4, end - start - 4);
    if (this.#io.crc32(frame) !== view.getUint32(0, true)) throw new SojournError("E_FRAME_CHECKSUM");
    this.#user.onFrame(frame);
    return !this.#closing;
  };

  #onBadFrame(error: SojournError): void {
    if (this.#closing) return;
    this.#user.onBadFrame(error);
    this.end(error);
  }
}
