import { type NodeRef, nodeIdOf } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput } from "../session/types.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { DeltaLog } from "./delta-log.js";
import { prepare } from "./drafts.js";
import type { Feed } from "./feed.js";
import type { ClientOp, MoveCallbacks, SlotPort } from "./role.js";

/** The owner, as its hand-over sees it. */
export interface MoveOwner {
  readonly slot: SlotPort;
  readonly cell: SessionCell;
  readonly log: DeltaLog;
  readonly epoch: number;
  readonly version: number;
  readonly hash: number;
  readonly released: number;
  readonly stateVersion: number;
  readonly feeds: ReadonlyMap<NodeRef, Feed>;
  openFeed(ref: NodeRef): { feed: Feed; fresh: boolean };
  dropFeed(ref: NodeRef): void;
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
  | { readonly name: "offering"; readonly deadline: Scheduled; readonly again: Scheduled }
  | { readonly name: "copying"; readonly deadline: Scheduled; readonly feed: Feed; hooked: boolean; waitedAt: number | null }
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
  readonly attempt: number;
  readonly #owner: MoveOwner;
  readonly #callbacks: MoveCallbacks;
  readonly #startedAtMs: number;
  #fresh = false;
  #phase: Phase = { name: "over" };
  #cancelled: string | null = null;

  constructor(owner: MoveOwner, target: NodeRef, callbacks: MoveCallbacks) {
    this.#owner = owner;
    this.#callbacks = callbacks;
    this.target = target;
    this.attempt = owner.slot.host.nextRequest();
    this.#startedAtMs = owner.slot.host.clock.now();
  }

  get #host() {
    return this.#owner.slot.host;
  }

  /** Step 1. */
  begin(): void {
    const { clock, limits } = this.#host;
    const deadline = clock.schedule(limits.offerTimeoutMs, () => this.#fail("E_MOVE_FAILED", "the target did not answer the offer"));
    this.#offer(deadline);
  }

  #offer(deadline: Scheduled): void {
    const { clock, limits } = this.#host;
    const { slot, epoch, stateVersion } = this.#owner;
    this.#host.send(this.target, "control", { t: "offer", session: slot.key, epoch, attempt: this.attempt, stateVersion, sizeBytes: 0 });
    const again = clock.schedule(limits.offerTimeoutMs / 4, () => this.#offer(deadline));
    this.#phase = { name: "offering", deadline, again };
  }

  onAnswer(from: NodeRef, message: PeerMessageOf<"accept"> | PeerMessageOf<"refuse">): void {
    if (from !== this.target || message.attempt !== this.attempt || this.#phase.name !== "offering") return;
    this.#leavePhase();
    if (message.t === "refuse") {
      this.#fail(message.code === "E_NODE_CORDONED" ? "E_NODE_CORDONED" : "E_MOVE_REFUSED", `the target refused: ${message.code}`);
    } else {
      this.#copy(message.have);
    }
  }

  /** Step 2: the session runs on; the target becomes a standby. */
  #copy(have: PeerMessageOf<"accept">["have"]): void {
    const { clock, limits } = this.#host;
    const { feed, fresh } = this.#owner.openFeed(this.target);
    this.#fresh = fresh;
    const deadline = clock.schedule(limits.copyTimeoutMs, () => this.#fail("E_MOVE_FAILED", "the copy did not catch up in time"));
    const phase: Phase = { name: "copying", deadline, feed, hooked: false, waitedAt: null };
    this.#phase = phase;
    this.#owner.submitHook({ kind: "beforeMove", to: nodeIdOf(this.target) }, () => {
      phase.hooked = true;
      this.#checkCopy();
    });
    if (this.#phase !== phase) return;
    if (fresh) {
      if (have !== null && this.#fits(have)) feed.startAt(have.version);
      else feed.startBase();
    }
    this.#checkCopy();
  }

  /** Whether a copy at this position lies on this owner's chain. */
  #fits(have: { readonly version: number; readonly hash: number }): boolean {
    const { log, version, hash } = this.#owner;
    if (have.version === version) return have.hash === hash;
    return log.since(have.version)?.hash === have.hash;
  }

  onAcked(feed: Feed): void {
    if (feed.peer === this.target) this.#checkCopy();
  }

  /** [2] First it is waited for, then brought up to all that was released before that, and only then recorded. */
  #checkCopy(): void {
    const phase = this.#phase;
    if (phase.name !== "copying" || !phase.hooked || !phase.feed.following) return;
    if (phase.waitedAt === null) {
      phase.feed.waited = true;
      phase.waitedAt = phase.feed.recorded ? 0 : this.#owner.released;
    }
    if (phase.feed.acked < phase.waitedAt) return;
    this.#leavePhase();
    this.#prepare();
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
          this.#fail("E_MOVE_FAILED", "the record does not allow the hand-over");
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
    const table = slot.host.tableFor(this.target, slot.key, since.deltas);
    const waiting = owner.takeWaiting();
    this.#phase = { name: "over" };
    owner.moveEnded(this);
    slot.becomeGranted({
      cell,
      to: this.target,
      waiting,
      startedAtMs: this.#startedAtMs,
      frozenAtMs,
      callbacks: this.#callbacks,
      grant: {
        t: "grant",
        session: slot.key,
        to: this.target,
        epoch: owner.epoch + 1,
        attempt: this.attempt,
        revision: record.revision,
        fromVersion: feed.acked,
        fromHash: since.hash ?? hash,
        version,
        hash,
        deltas: since.deltas,
        table,
        waitedFor,
        inSync: record.inSync,
        released: owner.released,
        frozenForMs: slot.host.clock.now() - frozenAtMs,
        settleMs: owner.settleMs(),
      },
    });
  }

  /** [7] Only the heir declines. The session runs on; the move is over once the record says so. */
  #askToDecline(reason: string): void {
    const { clock, limits } = this.#host;
    const { slot, epoch } = this.#owner;
    this.#host.send(this.target, "control", { t: "cancel", session: slot.key, epoch, attempt: this.attempt });
    const again = clock.schedule(limits.grantResendMs * 4, () => this.#askToDecline(reason));
    this.#phase = { name: "cancelling", again, reason };
  }

  /** The target's lease has ended before it was recorded as heir. */
  targetEnded(): void {
    if (this.#phase.name === "offering" || this.#phase.name === "copying") {
      this.#leavePhase();
      this.#fail("E_MOVE_FAILED", "the target's lease has ended");
    }
  }

  /** Gives the move up as soon as the rules allow it. */
  cancel(reason: string): void {
    const { name } = this.#phase;
    if (name === "offering" || name === "copying") this.#fail("E_MOVE_FAILED", reason);
    else if (name === "preparing" || name === "draining") this.#cancelled = reason;
  }

  /** The record shows that the session stays here (or is gone): the move has failed. */
  revert(reason: string): void {
    if (this.#phase.name === "over") return;
    const why = this.#phase.name === "cancelling" ? this.#phase.reason : reason;
    this.#leavePhase();
    this.#phase = { name: "over" };
    this.#owner.moveEnded(this);
    this.#callbacks.failed("E_MOVE_FAILED", why);
  }

  /** Before PREPARE stands: the target frees what it reserved, and is not waited for any more (no write ever named it [3]). */
  #fail(code: "E_MOVE_REFUSED" | "E_MOVE_FAILED" | "E_NODE_CORDONED", message: string): void {
    if (this.#phase.name === "over") return;
    this.#leavePhase();
    this.#phase = { name: "over" };
    const { slot, epoch } = this.#owner;
    this.#owner.moveEnded(this);
    this.#host.send(this.target, "control", { t: "cancel", session: slot.key, epoch, attempt: this.attempt });
    const named = slot.cas.record?.inSync.includes(this.target) === true;
    if (this.#fresh && !named) this.#owner.dropFeed(this.target);
    this.#callbacks.failed(code, message);
  }

  #leavePhase(): void {
    const phase = this.#phase;
    if (phase.name === "offering") {
      phase.deadline.cancel();
      phase.again.cancel();
    } else if (phase.name === "copying") {
      phase.deadline.cancel();
    } else if (phase.name === "draining") {
      phase.deadline?.cancel();
    } else if (phase.name === "cancelling") {
      phase.again?.cancel();
    }
  }

  /** The owner's role ends: nothing of the move may act any more. */
  stop(): void {
    if (this.#phase.name === "over") return;
    this.#leavePhase();
    this.#phase = { name: "over" };
    this.#callbacks.failed("E_MOVE_FAILED", "the node stopped owning the session");
  }
}
