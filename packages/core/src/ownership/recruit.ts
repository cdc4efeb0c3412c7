import { type NodeRef, nodeIdOf } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { Feed } from "./feed.js";
import { type Chain, isOnChain } from "./replica-source.js";
import type { SlotPort } from "./role.js";

/** Why a recruit failed. */
export type RecruitFailure = "E_MOVE_REFUSED" | "E_MOVE_FAILED" | "E_NODE_CORDONED";

/** The owner, as a recruiting sees it. */
export interface RecruitOwner extends Chain {
  readonly slot: SlotPort;
  readonly epoch: number;
  readonly shownUpTo: number;
  readonly stateVersion: number;
  openFeed(ref: NodeRef): { feed: Feed; fresh: boolean };
  dropFeed(ref: NodeRef): void;
}

/** What a recruiting tells. Exactly one of `ready` and `failed` is called, once. */
export interface RecruitEvents {
  /** The target has accepted; `go` may be called later to start the copy (something may have to happen before). */
  accepted(go: () => void): void;
  /** The target holds everything that was released before it was waited for: it may be recorded [2]. */
  ready(feed: Feed): void;
  failed(code: RecruitFailure, message: string): void;
}

type Phase =
  | { readonly name: "offering"; readonly deadline: Scheduled; readonly again: Scheduled }
  | { readonly name: "accepted"; readonly deadline: Scheduled }
  | { readonly name: "copying"; readonly deadline: Scheduled; readonly feed: Feed; waitedAt: number | null }
  | { readonly name: "over" };

/** Steps 1 and 2 of PROTOCOL.md: another node is offered the session and becomes a standby that is waited for. The session runs on. */
export class Recruit {
  readonly target: NodeRef;
  readonly attempt: number;
  readonly #owner: RecruitOwner;
  readonly #events: RecruitEvents;
  readonly #toKeep: boolean;
  #phase: Phase = { name: "over" };
  #fresh = false;

  /** @param toKeep whether the copy is to stay one; a node that holds enough of them refuses it then */
  constructor(owner: RecruitOwner, target: NodeRef, toKeep: boolean, events: RecruitEvents) {
    this.#owner = owner;
    this.#events = events;
    this.#toKeep = toKeep;
    this.target = target;
    this.attempt = owner.slot.host.nextRequest();
  }

  /** Whether the target had no feed before. */
  get fresh(): boolean {
    return this.#fresh;
  }

  get over(): boolean {
    return this.#phase.name === "over";
  }

  begin(): void {
    const { clock, limits } = this.#owner.slot.host;
    const deadline = clock.schedule(limits.offerTimeoutMs, () => this.fail("E_MOVE_FAILED", "the target did not answer the offer"));
    this.#offer(deadline);
  }

  #offer(deadline: Scheduled): void {
    const { slot, epoch, stateVersion } = this.#owner;
    const { clock, limits } = slot.host;
    slot.host.send(this.target, "control", {
      t: "offer",
      session: slot.key,
      epoch,
      attempt: this.attempt,
      stateVersion,
      toKeep: this.#toKeep,
    });
    const again = clock.schedule(limits.offerTimeoutMs / 4, () => this.#offer(deadline));
    this.#phase = { name: "offering", deadline, again };
  }

  onAnswer(from: NodeRef, message: PeerMessageOf<"accept"> | PeerMessageOf<"refuse">): void {
    if (from !== this.target || message.attempt !== this.attempt || this.#phase.name !== "offering") return;
    if (message.t === "refuse") {
      const code = message.code === "E_NODE_CORDONED" ? "E_NODE_CORDONED" : "E_MOVE_REFUSED";
      this.fail(code, `node ${nodeIdOf(from)} refused: ${message.code}`);
      return;
    }
    this.#leavePhase();
    const { clock, limits } = this.#owner.slot.host;
    const deadline = clock.schedule(limits.copyTimeoutMs, () => this.fail("E_MOVE_FAILED", "the copy did not catch up in time"));
    const phase: Phase = { name: "accepted", deadline };
    this.#phase = phase;
    this.#events.accepted(() => {
      if (this.#phase === phase) this.#copy(deadline, message.have);
    });
  }

  #copy(deadline: Scheduled, have: PeerMessageOf<"accept">["have"]): void {
    const { feed, fresh } = this.#owner.openFeed(this.target);
    this.#fresh = fresh;
    this.#phase = { name: "copying", deadline, feed, waitedAt: null };
    if (fresh) {
      if (have !== null && isOnChain(this.#owner, have)) feed.startAt(have.version);
      else feed.startBase();
    }
    this.#check();
  }

  onAcked(feed: Feed): void {
    if (feed.peer === this.target) this.#check();
  }

  /** [2] First it is waited for, then brought up to all that was released before that; only then may it be recorded. */
  #check(): void {
    const phase = this.#phase;
    if (phase.name !== "copying" || !phase.feed.following) return;
    if (phase.waitedAt === null) {
      phase.feed.waited = true;
      phase.waitedAt = phase.feed.recorded ? 0 : this.#owner.shownUpTo;
    }
    if (phase.feed.acked < phase.waitedAt) return;
    this.#leavePhase();
    this.#phase = { name: "over" };
    this.#events.ready(phase.feed);
  }

  /** Gives up: the target frees what it reserved. No write ever named it, so it need not be waited for any more [3]. */
  fail(code: RecruitFailure, message: string): void {
    if (this.#phase.name === "over") return;
    this.#leavePhase();
    this.#phase = { name: "over" };
    this.withdraw();
    this.#events.failed(code, message);
  }

  /** Tells the target that nothing comes of the offer, and stops feeding it unless it was fed before. */
  withdraw(): void {
    const { slot, epoch } = this.#owner;
    slot.host.send(this.target, "control", { t: "cancel", session: slot.key, epoch, attempt: this.attempt });
    const named = slot.cas.record?.inSync.includes(this.target) === true;
    if (this.#fresh && !named) this.#owner.dropFeed(this.target);
  }

  #leavePhase(): void {
    const phase = this.#phase;
    if (phase.name === "over") return;
    phase.deadline.cancel();
    if (phase.name === "offering") phase.again.cancel();
  }

  /** The owner's role ends: nothing is told. */
  stop(): void {
    this.#leavePhase();
    this.#phase = { name: "over" };
  }
}
