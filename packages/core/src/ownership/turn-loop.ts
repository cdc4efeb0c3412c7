import { errorCodeOf } from "../errors/sojourn-error.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionMeter } from "../ports/session-meter.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput, TurnResult } from "../session/types.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { ParkedInputs } from "./parked-inputs.js";
import type { ClientOp } from "./role.js";
import type { SlotHost } from "./slot-host.js";
import { toTurnInput } from "./turn-inputs.js";

/** What waits for a turn: a client's message, or something of the node's own. */
export type Waiting = ClientOp | TurnInput;

/** Tells a client's message from an input of the node's own. */
export const isClientOp = (waiting: Waiting): waiting is ClientOp => "t" in waiting;

/** What a turn loop does to its owner. */
export interface TurnLoopEvents {
  /** Whether somebody needs the turns' deltas. */
  readonly wantsDeltas: boolean;
  /** So much waits for its release that no further turn is to run. */
  readonly saturated: boolean;
  settled(waiting: Waiting, result: TurnResult): void;
  /** A client's acknowledgement came to its place in the order. */
  linkAck(op: PeerMessageOf<"linkAck">): void;
  /** A client's message was not taken: the session has too much to do, or could not run at all. Nothing has changed. */
  refused(op: ClientOp, code: string, message: string, retryAfterMs: number): void;
  /** A turn that took time has ended. */
  quiet(): void;
}

/** An ingress sends an attach again that is not answered in time. Carried out twice, it would welcome the client twice. */
function isSameAttach(one: Waiting, other: PeerMessageOf<"attach">): boolean {
  if (!isClientOp(one) || one.t !== "attach" || one.link !== other.link) return false;
  return one.ingress === other.ingress && one.socket === other.socket && one.nextToken === other.nextToken;
}

interface Hook {
  readonly input: TurnInput;
  readonly done: () => void;
  readonly deadline: Scheduled;
  /** It has waited long enough: what holds it up is rolled back and runs again behind it. */
  overdue: boolean;
}

/** Runs the turns of one session one after another, in the order in which their inputs came, until it is frozen. */
export class TurnLoop {
  readonly #host: SlotHost;
  readonly #cell: SessionCell;
  readonly #events: TurnLoopEvents;
  readonly #queue: Waiting[] = [];
  readonly #parked: ParkedInputs;
  readonly #meter: SessionMeter | null;
  #running = false;
  #pumping = false;
  #frozen: { readonly then: () => void; readonly deadline: Scheduled | null } | null = null;
  #hook: Hook | null = null;
  /** It stands still until more is released. */
  #stalled = false;
  #stopped = false;

  constructor(host: SlotHost, cell: SessionCell, events: TurnLoopEvents) {
    this.#host = host;
    this.#cell = cell;
    this.#events = events;
    this.#meter = host.meterOf?.(cell.key) ?? null;
    this.#parked = new ParkedInputs(host.limits.reorderWindowMessages);
  }

  get frozen(): boolean {
    return this.#frozen !== null;
  }

  enqueue(waiting: Waiting): void {
    if (this.#stopped) return;
    if (this.#queue.length >= this.#host.limits.maxQueuedInputs && isClientOp(waiting)) {
      this.#events.refused(waiting, "E_QUEUE_FULL", "the session has too much to do", 500);
      return;
    }
    if (isClientOp(waiting) && waiting.t === "attach" && this.#queue.some((other) => isSameAttach(other, waiting))) return;
    this.#queue.push(waiting);
    this.#pump();
  }

  /**
   * Runs a hook as a turn behind what already waits, at the drain deadline before it; `done` once it has run, or turned out not to be
   * defined or not to run here.
   */
  runHook(input: TurnInput, done: () => void): void {
    const { clock, limits } = this.#host;
    const hook: Hook = { input, done, deadline: clock.schedule(limits.drainDeadlineMs, () => this.#hurry(hook)), overdue: false };
    this.#hook = hook;
    this.enqueue(input);
  }

  #hurry(hook: Hook): void {
    const at = this.#queue.indexOf(hook.input);
    if (this.#hook !== hook || at < 0) return; // it is in hand
    this.#queue.splice(at, 1);
    hook.overdue = true;
    if (this.#cell.busy) this.#cell.abort();
    else this.#queue.unshift(hook.input);
  }

  /** No turn starts any more; `then` runs once the turn in hand has ended or, at the drain deadline, was rolled back. */
  freeze(then: () => void): void {
    if (!this.#cell.busy && !this.#running) {
      this.#frozen = { then, deadline: null };
      then();
      return;
    }
    const deadline = this.#host.clock.schedule(this.#host.limits.drainDeadlineMs, () => this.#cell.abort());
    this.#frozen = { then, deadline };
  }

  /** The node may act again. */
  onLeaseResumed(): void {
    this.#pump();
  }

  /** More was released. */
  onReleased(): void {
    if (!this.#stalled || this.#events.saturated) return;
    this.#stalled = false;
    this.#pump();
  }

  thaw(): void {
    this.#frozen?.deadline?.cancel();
    this.#frozen = null;
    this.#pump();
  }

  /** Takes out what waits and came from clients. The node's own inputs are made anew by the next owner. */
  takeWaiting(): ClientOp[] {
    return [...this.#queue.splice(0).filter(isClientOp), ...this.#parked.takeAll()];
  }

  /** A link has ended: what it sent ahead of order is void. */
  forgetLink(link: string): void {
    this.#parked.forget(link);
  }

  stop(): void {
    this.#stopped = true;
    this.#frozen?.deadline?.cancel();
    this.#hook?.deadline.cancel();
    if (this.#cell.busy) this.#cell.abort();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const cell = this.#cell;
    while (this.#queue.length > 0 && this.#frozen === null && !this.#running && !cell.busy && !cell.ended) {
      if (!this.#host.leaseValid()) break; // [10] until the lease is renewed after all, or the node drops everything
      if (this.#events.saturated && !this.#mayRunStalled(this.#queue[0] as Waiting)) break;
      this.#execute(this.#queue.shift() as Waiting);
      if (this.#stopped) return;
    }
    this.#pumping = false;
  }

  /** What a hand-over needs runs in any case, and what a link confirms is no turn. */
  #mayRunStalled(waiting: Waiting): boolean {
    if (waiting === this.#hook?.input || (isClientOp(waiting) && waiting.t === "linkAck")) return true;
    if (!this.#stalled) {
      const { limits } = this.#host;
      this.#host.onIncident(
        this.#cell.key,
        "E_RELEASE_STALLED",
        `the output of ${limits.maxUnreleasedTurns} turns waits; the next one does not run`,
      );
    }
    this.#stalled = true;
    return false;
  }

  #execute(waiting: Waiting): void {
    if (isClientOp(waiting) && waiting.t === "linkAck") {
      this.#events.linkAck(waiting);
      return;
    }
    const input = isClientOp(waiting) ? toTurnInput(waiting) : waiting;
    if (input === null) {
      if (isClientOp(waiting)) this.#events.refused(waiting, "E_FRAME_MALFORMED", "the message does not decode", 0);
      return;
    }
    let result: TurnResult | Promise<TurnResult>;
    try {
      result = this.#cell.run(input, this.#events.wantsDeltas);
    } catch (error) {
      // Nothing has changed, and it would fail again for every input: the caller is told instead of being kept waiting.
      const code = errorCodeOf(error);
      this.#host.onIncident(this.#cell.key, code, error instanceof Error ? error.message : String(error));
      if (isClientOp(waiting)) this.#events.refused(waiting, code, "the session cannot run on this node", 1_000);
      else this.#hookIsOver(waiting);
      return;
    }
    if ("then" in result) this.#await(waiting, result);
    else this.#settle(waiting, result);
  }

  #await(waiting: Waiting, result: Promise<TurnResult>): void {
    this.#running = true;
    result.then((settled) => {
      if (this.#stopped) return;
      this.#running = false;
      this.#settle(waiting, settled);
      if (this.#stopped) return;
      this.#events.quiet();
      const frozen = this.#frozen;
      if (frozen === null) {
        this.#pump();
      } else {
        frozen.deadline?.cancel();
        frozen.then();
      }
    });
  }

  #settle(waiting: Waiting, result: TurnResult): void {
    if (result.outcome === "aborted") {
      this.#queue.unshift(waiting);
      if (this.#hook?.overdue === true) {
        this.#hook.overdue = false;
        this.#queue.unshift(this.#hook.input);
      }
      return;
    }
    if (isClientOp(waiting) && waiting.t === "input") {
      if (result.outcome === "early") this.#parked.park(waiting);
      else if (result.outcome === "committed" && this.#parked.size > 0) {
        const next = this.#parked.next(waiting.link, waiting.seq + 1);
        if (next !== null) this.#queue.unshift(next);
      }
    }
    if (result.outcome === "committed") this.#meter?.turn(result.delta);
    this.#events.settled(waiting, result);
    this.#hookIsOver(waiting);
  }

  #hookIsOver(waiting: Waiting): void {
    const hook = this.#hook;
    if (hook === null || hook.input !== waiting || this.#stopped) return;
    this.#hook = null;
    hook.deadline.cancel();
    hook.done();
  }
}
