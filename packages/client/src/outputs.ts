import { type ClientFrameOf, ReorderWindow, type Scheduled } from "@sojourn/core";
import type { ClientEnv } from "./ports.js";

type Output = ClientFrameOf<"output">;

/** What outputs need from the link. */
export interface OutputPath {
  deliver(output: Output): void;
  sendAck(seq: number, gap: boolean): void;
}

/** Session → client messages: put in order, handed over once, acknowledged in batches, asked for again when one is missing. */
export class Outputs {
  readonly #env: ClientEnv;
  readonly #path: OutputPath;
  readonly #window: ReorderWindow<Output>;
  #live = false;
  /** Messages since the last acknowledgement was sent. */
  #owed = 0;
  #ackTimer: Scheduled | undefined;
  /** The missing number that was asked for last. */
  #askedFor = 0;
  #gapTimer: Scheduled | undefined;

  constructor(env: ClientEnv, path: OutputPath) {
    this.#env = env;
    this.#path = path;
    this.#window = new ReorderWindow(env.limits.reorderWindowMessages, (output) => path.deliver(output));
  }

  /** Highest number that was handed over. */
  get last(): number {
    return this.#window.next - 1;
  }

  accept(output: Output): void {
    const arrival = this.#window.accept(output.seq, output);
    if (!this.#live) return;
    if (arrival === "parked" || arrival === "dropped") {
      if (this.#askedFor !== this.#window.next) this.#askAgain();
      return;
    }
    // A duplicate means that an acknowledgement got lost: it is owed again.
    if (++this.#owed >= this.#env.limits.ackEveryMessages) this.#sendAck();
    else this.#ackTimer ??= this.#env.clock.schedule(this.#env.limits.ackDelayMs, this.#sendAck);
  }

  /** The acknowledgement for a frame that is about to be sent anyway. */
  takeAck(): number {
    this.#owed = 0;
    return this.last;
  }

  resume(): void {
    this.#live = true;
  }

  pause(): void {
    this.#live = false;
    this.#owed = 0;
    this.#askedFor = 0;
    this.#ackTimer?.cancel();
    this.#gapTimer?.cancel();
    this.#ackTimer = this.#gapTimer = undefined;
  }

  reset(next: number): void {
    this.#window.reset(next);
    this.#askedFor = 0;
  }

  readonly #sendAck = (): void => {
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    // Another frame may have carried it meanwhile.
    if (this.#owed > 0) this.#path.sendAck(this.takeAck(), false);
  };

  readonly #askAgain = (): void => {
    this.#gapTimer?.cancel();
    this.#gapTimer = undefined;
    this.#askedFor = this.#window.next;
    this.#path.sendAck(this.takeAck(), true);
    this.#gapTimer = this.#env.clock.schedule(this.#env.limits.gapRetryMs, this.#gapDue);
  };

  readonly #gapDue = (): void => {
    this.#gapTimer = undefined;
    // "Dropped" messages leave nothing parked, so the number asked for counts as well.
    if (this.#window.parked > 0 || this.#askedFor === this.#window.next) this.#askAgain();
  };
}
