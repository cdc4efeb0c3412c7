import type { Socket } from "node:net";
import type { Clock, Limits, Random } from "@sojourn/core";
import type { TickFlusher } from "./tick-flusher.js";

/** What is counted since the start. */
export interface ChannelCounters {
  framesSent: number;
  framesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  /** Times that gathered output was handed to a socket. */
  writes: number;
}

/** A connection that is not closed yet. */
export interface OpenLane {
  readonly socket: Socket;
}

/** What every connection of one channel shares. */
export interface ChannelIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly flusher: TickFlusher;
  readonly counters: ChannelCounters;
  /** Every socket that is not closed yet, lingering ones included. */
  readonly lanes: Set<OpenLane>;
}
