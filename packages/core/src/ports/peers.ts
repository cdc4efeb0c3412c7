import type { NodeRef } from "../names.js";

/** `control` is for small frames that must not wait; `bulk` for copies, under flow control. */
export type Lane = "control" | "bulk";

/** What became of a send. `queued` promises nothing about arrival. */
export type SendOutcome = "queued" | "unreachable" | "full";

/**
 * What can be heard of a peer: it answers heartbeats end to end; or it has answered none for `suspectAfterMs`; or its host answers that
 * nobody listens at its address, so that its process is gone. Neither of the last two proves that it acts no more.
 */
export type PeerHealth = "answering" | "silent" | "gone";

/** What the transport tells its user. Calls come one at a time, never inside `send`. */
export interface PeersHandler {
  /** A whole message as it was sent. The bytes are only valid during the call. */
  onMessage(from: NodeRef, message: Uint8Array): void;
  /** A connection to exactly this incarnation stands. Everything sent before that was not answered may have been lost. */
  onUp(peer: NodeRef): void;
  /** The connection is gone or silent. It says nothing about whether the peer lives. */
  onDown(peer: NodeRef): void;
  /** Told when it changes; a peer that is new counts as answering, and so does one whose connection stands again. */
  onHealth(peer: NodeRef, health: PeerHealth): void;
}

/**
 * Messages between nodes. Contract: at most once; in order within one lane of one connection; no order between lanes;
 * a message is delivered whole or not at all, and only to the incarnation it was addressed to. After a lost connection
 * nothing is sent again by the transport: whoever needs an answer sends again (every step of the protocol is idempotent).
 */
export interface Peers {
  bind(handler: PeersHandler): void;
  /** Makes the peer known; a connection is opened and kept open until `forget`. */
  reach(peer: NodeRef, address: string): void;
  /** Closes and forgets; a peer that was up goes down by this. */
  forget(peer: NodeRef): void;
  /**
   * Copies the message; `unreachable` unless the peer is up. What is sent in one tick goes out together at its end; an `urgent`
   * message goes out at once when nothing else waits.
   * @throws SojournError `E_FRAME_TOO_LARGE`
   */
  send(to: NodeRef, lane: Lane, message: Uint8Array, urgent?: boolean): SendOutcome;
  isUp(peer: NodeRef): boolean;
  /** Smoothed round-trip time in ms, once it has been measured. */
  rttMs(peer: NodeRef): number | undefined;
}
