import { type NodeRef, nodeIdOf } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput } from "../session/types.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { prepare } from "./drafts.js";
import type { Feed } from "./feed.js";
import { Recruit, type RecruitFailure, type RecruitOwner } from "./recruit.js";
import type { ClientOp, MoveCallbacks } from "./role.js";

/** The owner, as its hand-over sees it. */
export interface MoveOwner extends RecruitOwner {
  readonly cell: SessionCell;
  readonly feeds: ReadonlyMap<NodeRef, Feed>;
  readonly released: number;
  /** Runs a hook as a turn of its own; `done` once it has run or turned out not to be defined. */
  submitHook(input: TurnInput, done: () => void): void;
  freeze(then: () => void): void;
  thaw(): void;
  takeWaiting(): ClientOp[];
  /** How long clients should wait before they follow the session to its next owner. */
  settleMs(): number;
  moveEnded(move: MoveOut): void;
  onEnded(ref: NodeRef): void;
}

type Phase =
  | { readonly name: "recruiting" }
  | { readonly name: "preparing" }
  | { readonly name: "draining"; readonly deadline: Scheduled | null }
  /** PREPARE stands but the session stays: the heir is asked to decline [7]. */
  | { readonly name: "cancelling"; readonly again: Scheduled | null; readonly reason: string }
  | { readonly name: "over" };

/**
 * The source's side of a hand-over, steps 1–5 of PROTOCOL.md: offer, copy, prepare, freeze, grant. The session runs through all of it
 * but the freeze. Ends in a GRANT (the slot changes its role) or with the session running on here.
 */
export class MoveOut {
  readonly target: NodeRef;
  readonly #owner: MoveOwner;
  readonly #callbacks: MoveCallbacks;
  readonly #recruit: Recruit;
  readonly #startedAtMs: number;
  #phase: Phase = { name: "recruiting" };
  #cancelled: string | null = null;

  constructor(owner: MoveOwner, target: NodeRef, callbacks: MoveCallbacks) {
    this.#owner = owner;
    this.#callbacks = callbacks;
    this.target = target;
    this.#startedAtMs = owner.slot.host.clock.now();
    this.#recruit = new Recruit(owner, target, false, {
      accepted: (go) => owner.submitHook({ kind: "beforeMove", to: nodeIdOf(target) }, go),
      ready: () => this.#prepare(),
      failed: (code, message) => this.#end(code, message),
    });
  }

  get #host() {
    return this.#owner.slot.host;
  }

  begin(): void {
    this.#recruit.begin();
  }

  onAnswer(from: NodeRef, message: PeerMessageOf<"accept"> | PeerMessageOf<"refuse">): void {
    this.#recruit.onAnswer(from, message);
  }

  onAcked(feed: Feed): void {
    this.#recruit.onAcked(feed);
  }

  /** Step 3. */
  #prepare(): void {
    this.#phase = { name: "preparing" };
    const { slot, epoch } = this.#owner;
    slot.cas.submit(
      (record) => (record === null || this.#phase.name !== "preparing" ? null : prepare(record, slot.host.self, epoch, this.target)),
      ({ outcome, record }) => {
        if (this.#phase.name !== "preparing") return;
        if (outcome === "void" || record === null || record.heir !== this.target) {
          this.#recruit.withdraw();
          this.#end("E_MOVE_FAILED", "the record does not allow the hand-over");
          return;
        }
        const feed = this.#owner.feeds.get(this.target);
        if (feed !== undefined) feed.recorded = true;
        if (slot.host.isEnded(this.target)) {
          this.#phase = { name: "cancelling", again: null, reason: "the target's lease has ended" };
          this.#owner.onEnded(this.target);
        } else if (this.#cancelled !== null) {
          this.#askToDecline(this.#cancelled);
        } else {
          this.#drain();
        }
      },
    );
  }

  /** Step 4. Work that handlers left running may finish first, within the drain deadline; then no turn starts any more. */
  #drain(): void {
    const { cell } = this.#owner;
    if (cell.pendingWork === 0) {
      this.#freeze();
      return;
    }
    const deadline = this.#host.clock.schedule(this.#host.limits.drainDeadlineMs, () => this.#freeze());
    const phase: Phase = { name: "draining", deadline };
    this.#phase = phase;
    cell.idle().then(() => {
      if (this.#phase === phase) this.#freeze();
    });
  }

  #freeze(): void {
    this.#leavePhase();
    const phase: Phase = { name: "draining", deadline: null };
    this.#phase = phase;
    const frozenAtMs = this.#host.clock.now();
    this.#owner.freeze(() => {
      if (this.#phase === phase) this.#grant(frozenAtMs);
    });
  }

  /** Step 5. */
  #grant(frozenAtMs: number): void {
    const owner = this.#owner;
    const { slot, cell, version, hash, log, feeds } = owner;
    const feed = feeds.get(this.target);
    const record = slot.cas.record;
    const since = feed === undefined ? null : log.since(feed.acked);
    const fits = since !== null && since.deltas.reduce((sum, delta) => sum + delta.length, 0) <= slot.host.limits.maxPeerFrameBytes / 2;
    if (feed === undefined || since === null || !fits || record === null || record.heir !== this.target || cell.ended) {
      this.#askToDecline("the session could not be frozen with its last deltas at hand");
      owner.thaw();
      return;
    }
    const waitedFor = [slot.host.self];
    for (const other of feeds.values()) if (other.waited && other.peer !== this.target) waitedFor.push(other.peer);
    const grant: PeerMessageOf<"grant"> = {
      t: "grant",
      session: slot.key,
      to: this.target,
      epoch: owner.epoch + 1,
      attempt: this.#recruit.attempt,
      revision: record.revision,
      fromVersion: feed.acked,
      fromHash: since.hash ?? hash,
      version,
      hash,
      deltas: since.deltas,
      table: slot.host.tableFor(this.target, slot.key, since.deltas),
      waitedFor,
      inSync: record.inSync,
      strategy: record.strategy,
      stored: record.stored,
      released: owner.released,
      frozenForMs: slot.host.clock.now() - frozenAtMs,
      settleMs: owner.settleMs(),
    };
    // It travels while this node still puts its owner's role away.
    slot.host.send(this.target, "control", grant);
    this.#phase = { name: "over" };
    const waiting = owner.takeWaiting();
    slot.becomeGranted({ cell, to: this.target, waiting, startedAtMs: this.#startedAtMs, frozenAtMs, callbacks: this.#callbacks, grant });
  }

  /** [7] Only the heir declines. The session runs on; the move is over once the record says so. */
  #askToDecline(reason: string): void {
    const { clock, limits } = this.#host;
    const { slot, epoch } = this.#owner;
    this.#host.send(this.target, "control", { t: "cancel", session: slot.key, epoch, attempt: this.#recruit.attempt });
    const again = clock.schedule(limits.grantResendMs * 4, () => this.#askToDecline(reason));
    this.#phase = { name: "cancelling", again, reason };
  }

  /** The target's lease has ended before it was recorded as heir. */
  targetEnded(): void {
    this.#recruit.fail("E_MOVE_FAILED", "the target's lease has ended");
  }

  /** Gives the move up as soon as the rules allow it. */
  cancel(reason: string): void {
    if (this.#phase.name === "preparing" || this.#phase.name === "draining") this.#cancelled = reason;
    else this.#recruit.fail("E_MOVE_FAILED", reason);
  }

  /** The record shows that the session stays here (or is gone): the move has failed. */
  revert(reason: string): void {
    this.#recruit.stop();
    this.#end("E_MOVE_FAILED", this.#phase.name === "cancelling" ? this.#phase.reason : reason);
  }

  #end(code: RecruitFailure, message: string): void {
    if (this.#phase.name === "over") return;
    this.#leavePhase();
    this.#phase = { name: "over" };
    this.#owner.moveEnded(this);
    this.#callbacks.failed(code, message);
  }

  #leavePhase(): void {
    const phase = this.#phase;
    if (phase.name === "draining") phase.deadline?.cancel();
    else if (phase.name === "cancelling") phase.again?.cancel();
  }

  /** The owner's role ends: nothing of the move may act any more. */
  stop(): void {
    this.#recruit.stop();
    this.#end("E_MOVE_FAILED", "the node stopped owning the session");
  }
}
