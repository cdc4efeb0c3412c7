import { type ClientFrame, type Scheduled, SendWindow } from "@sojourn/core";
import type { ClientEnv } from "./ports.js";

interface Input {
  readonly action: string;
  readonly payload: Uint8Array;
}

/** What inputs need from the link. */
export interface InputPath {
  /** Sends on the present channel; without one the frame goes nowhere. */
  send(frame: ClientFrame): void;
  /** The acknowledgement to carry; calling it promises that the frame is sent. */
  takeAck(): number;
  /** Nothing is acknowledged however often it is sent: the path behind the socket is dead. */
  deaf(): void;
}

/** So much of a backlog is sent on a new channel at once; the rest follows the acknowledgements, twice as fast as they come. */
const FIRST_BURST = 64;

/** Client → session messages: numbered, kept until acknowledged, sent again on a new channel and after silence. */
export class Inputs {
  readonly #env: ClientEnv;
  readonly #path: InputPath;
  readonly #window: SendWindow<Input>;
  #timer: Scheduled | undefined;
  #live = false;
  /** Highest number sent on this channel, and how far beyond what is acknowledged it may go while there is a backlog. */
  #cursor = 0;
  #room = 0;
  /** Since when nothing was acknowledged that should have been. */
  #waitingSinceMs = 0;
  #rounds = 0;

  constructor(env: ClientEnv, path: InputPath) {
    this.#env = env;
    this.#path = path;
    this.#window = new SendWindow(env.limits.maxUnackedInputs);
  }

  /** Highest number ever sent. */
  get sent(): number {
    return this.#window.last;
  }

  /** Highest number that the session acknowledged. */
  get acked(): number {
    return this.#window.acked;
  }

  get unacked(): number {
    return this.#window.size;
  }

  /** @throws SojournError `E_QUEUE_FULL`, `E_SEQUENCE_INVALID` */
  push(action: string, payload: Uint8Array): number {
    if (this.#window.size === 0) this.#waitingSinceMs = this.#env.clock.now();
    const input = { action, payload };
    const seq = this.#window.push(input);
    if (this.#live) {
      if (this.#cursor === seq - 1) this.#send(seq, input);
      this.#arm();
    }
    return seq;
  }

  /** @throws SojournError `E_SEQUENCE_INVALID` */
  ack(seq: number): void {
    const count = this.#window.ack(seq);
    if (count === 0) return;
    this.#waitingSinceMs = this.#env.clock.now();
    this.#rounds = 0;
    this.#room += count;
    this.#cursor = Math.max(this.#cursor, seq);
    if (this.#live) this.#catchUp();
  }

  /** A channel stands: everything unacknowledged is sent on it, a backlog not all at once: others come back to the same node. */
  resume(): void {
    this.#live = true;
    this.#rounds = 0;
    this.#again();
  }

  /** What is unacknowledged was perhaps lost with a node on its way: it is sent again without waiting. */
  resend(): void {
    if (this.#live) this.#again();
  }

  /** There is no channel for the time being. */
  pause(): void {
    this.#live = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  reset(next: number): void {
    this.#window.reset(next);
    this.#cursor = next - 1;
  }

  #again(): void {
    this.#waitingSinceMs = this.#env.clock.now();
    this.#cursor = this.#window.acked;
    this.#room = FIRST_BURST;
    this.#catchUp();
    this.#arm();
  }

  #catchUp(): void {
    this.#window.resend(this.#cursor + 1, this.#send, this.#window.acked + this.#room);
  }

  #arm(): void {
    if (this.#window.size > 0) this.#timer ??= this.#env.clock.schedule(this.#dueInMs(), this.#due);
  }

  /** The pause doubles twice: a session that is merely slow is not flooded. */
  #dueInMs(): number {
    const pauseMs = this.#env.limits.retransmitMs * 2 ** Math.min(this.#rounds, 2);
    return Math.max(0, this.#waitingSinceMs + pauseMs - this.#env.clock.now());
  }

  readonly #send = (seq: number, { action, payload }: Input): void => {
    this.#cursor = seq;
    this.#path.send({ t: "input", seq, ack: this.#path.takeAck(), action, payload });
  };

  readonly #due = (): void => {
    this.#timer = undefined;
    if (this.#window.size > 0 && this.#dueInMs() <= 0) {
      if (this.#rounds >= this.#env.limits.maxRetransmits) {
        this.#path.deaf();
        return;
      }
      this.#rounds++;
      this.#again();
    } else this.#arm();
  };
}
