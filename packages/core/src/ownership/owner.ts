import type { NodeRef } from "../names.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import type { AttachVerdict, TurnInput, TurnResult } from "../session/types.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { announce, ingressesOf, unlinkAll } from "./announce.js";
import { DeltaLog } from "./delta-log.js";
import { commit, end, leave, takeBack } from "./drafts.js";
import { Feed, type FeedSource } from "./feed.js";
import { firstTurn, mayLackTurns } from "./first-turn.js";
import { LinkAnswers } from "./link-answers.js";
import { MoveOut, type MoveOwner } from "./move-out.js";
import { relay } from "./relay.js";
import { Releaser } from "./release.js";
import type { ClientOp, MoveCallbacks, OwnerStart, Role, SessionMessage, SlotPort } from "./role.js";
import { SessionAlarms } from "./session-alarms.js";
import type { LinkAddress } from "./slot-host.js";
import { answerGrant, refuseOffer } from "./stale-messages.js";
import { type KeeperOwner, StandbyKeeper } from "./standby-keeper.js";
import { StoreKeeper, type StoreOwner } from "./store-keeper.js";
import { Stranded } from "./stranded.js";
import { isClientOp, TurnLoop, type Waiting } from "./turn-loop.js";
import { afterUnrecorded, beginningOf } from "./unrecorded.js";

/**
 * The one owner of a session: runs its turns one after another, feeds its replicas, releases what turns produced once those that are
 * waited for have acknowledged it [12], and gives the session away by a MoveOut.
 */
export class OwnerRole implements Role, FeedSource, MoveOwner, KeeperOwner, StoreOwner {
  readonly kind = "owner";
  readonly cell: SessionCell;
  readonly slot: SlotPort;
  readonly log: DeltaLog;
  readonly #start: OwnerStart;
  readonly #releaser: Releaser;
  readonly #feeds = new Map<NodeRef, Feed>();
  /** Its replica in the session store, where the strategy has one. */
  readonly store: StoreKeeper;
  readonly #alarms: SessionAlarms;
  readonly #keeper: StandbyKeeper;
  readonly #answers: LinkAnswers;
  readonly #turns: TurnLoop;
  readonly #stranded: Stranded;
  /** `durability: "eventual"`: no release waits for an acknowledgement. */
  readonly #eventual: boolean;
  #epoch: number;
  #hash: number;
  /** False between taking the session and the directory saying so (step 7). */
  #recorded: boolean;
  #move: MoveOut | null = null;
  readonly #sinceMs: number;
  #verifying = false;
  #stopped = false;

  constructor(slot: SlotPort, start: OwnerStart) {
    this.slot = slot;
    this.cell = start.cell;
    this.#start = start;
    this.#epoch = start.epoch;
    this.#hash = start.cause.kind === "created" ? beginningOf(start.epoch) : start.hash;
    this.#recorded = start.cause.kind !== "taken";
    this.#eventual = start.cell.durability === "eventual";
    const { host, key } = slot;
    this.#sinceMs = host.clock.now();
    this.log = start.recent ?? new DeltaLog(host.limits.maxDeltaLogBytes, start.cell.version);
    const self = this;
    this.#answers = new LinkAnswers(host, key, this);
    this.#turns = new TurnLoop(host, start.cell, {
      get wantsDeltas() {
        return self.#feeds.size > 0 || self.store.logs;
      },
      settled: (waiting, result) => this.#settled(waiting, result),
      linkAck: (op) => this.#linkAck(op),
      refused: (op, code, message, retryAfterMs) => {
        // Inputs are sent again by the client.
        if (op.t === "attach") this.#answers.refuseAttach(op, code, message, retryAfterMs);
      },
      get saturated() {
        return self.#releaser.held >= host.limits.maxUnreleasedTurns;
      },
      quiet: () => {
        for (const feed of this.#feeds.values()) feed.onQuiet();
        this.store.onQuiet();
      },
    });
    this.#releaser = new Releaser(
      {
        get epoch() {
          return self.#epoch;
        },
        scratch: host.scratch,
        deliver: (link, frame, close) => host.deliver(key, self.#epoch, link, frame, close),
        unlink: (link) => host.unlink(key, link),
      },
      start.released,
      start.cell.version,
    );
    this.store = new StoreKeeper(this);
    this.#keeper = new StandbyKeeper(this);
    this.#stranded = new Stranded(this);
    this.#alarms = new SessionAlarms(host, start.cell, {
      submit: (input) => this.#turns.enqueue(input),
      resend: () => {
        if (this.#releaser.resendUnconfirmed(this.cell.links)) this.#alarms.watchUnconfirmed();
      },
    });
  }

  // ---- what feeds and moves read ----

  get key() {
    return this.slot.key;
  }
  get host() {
    return this.slot.host;
  }
  get epoch() {
    return this.#epoch;
  }
  get version() {
    return this.cell.version;
  }
  get hash() {
    return this.#hash;
  }
  get stateVersion() {
    return this.cell.stateVersion;
  }
  get busy() {
    return this.cell.busy;
  }
  get gatherMs() {
    return this.#eventual ? this.host.limits.deltaGatherMs : 0;
  }
  get released() {
    return this.#releaser.released;
  }
  get shownUpTo() {
    return this.#releaser.shownUpTo;
  }
  /** False until the record names this node owner at this epoch. */
  get recorded() {
    return this.#recorded;
  }
  get movingTo() {
    return this.#move?.target ?? null;
  }
  /** No turn starts until the hand-over goes on or is given up. */
  get frozen() {
    return this.#turns.frozen;
  }
  /** Replicas that are kept up to date, with how far each is. */
  get feeds(): ReadonlyMap<NodeRef, Feed> {
    return this.#feeds;
  }

  snapshot(): Uint8Array {
    const bytes = this.cell.snapshot();
    this.slot.sizeBytes = bytes.length;
    return bytes;
  }

  // ---- the beginning ----

  /** Starts to act. The granter of a taken session has been answered. */
  begin(): void {
    const { cause, upToDate, waiting } = this.#start;
    const { host, cas } = this.slot;
    const inSync = this.#recorded ? (cas.record?.inSync ?? []) : [];
    for (const ref of this.#start.waitedFor) {
      const feed = this.#addFeed(ref);
      feed.waited = true;
      feed.recorded = inSync.includes(ref);
      if (ref === upToDate) feed.startAt(this.cell.version);
      else feed.startProbing();
    }
    this.store.begin(cause);
    const ingresses = ingressesOf(this.cell);
    if (mayLackTurns(cause, this.#eventual)) {
      this.#branch();
    } else {
      this.#releaser.inherit(this.cell.links, this.#start.released);
      if (this.cell.version > this.#start.released) this.#holdUnreleased();
    }
    const first = firstTurn(cause, this.#eventual, this.store.stalenessMs);
    if (first !== null) this.#turns.enqueue(first);
    for (const op of waiting) this.#turns.enqueue(op);
    this.#release();
    this.#alarms.rearm();
    if (cause.kind === "taken") this.#commit(cause.from);
    if (cause.kind === "taken" || cause.kind === "promoted" || cause.kind === "restored") announce(this, ingresses, cause);
    for (const link of this.cell.links.values()) {
      if (link.ingress !== null && host.isGone(link.ingress)) this.#lostIngress(link);
    }
    for (const ref of [...this.#feeds.keys()]) if (host.isEnded(ref)) this.onEnded(ref);
    this.#stranded.offer();
    if (this.cell.ended) this.#end();
    else this.#keeper.check();
  }

  /**
   * The session goes on from what is here. Each client is heard only after it has attached again, by the same socket where it has
   * one: then its numbers and their epoch tell whether it had seen more than there is.
   */
  #branch(): void {
    unlinkAll(this.slot, this.cell);
    this.#turns.enqueue({ kind: "branch", epoch: this.#epoch });
  }

  /** What the node before produced but did not release is released here once it is acknowledged. */
  #holdUnreleased(): void {
    const touched = [...this.cell.links.values()];
    const { version } = this.cell;
    this.#releaser.hold({ outcome: "committed", version, delta: null, touched, closed: [], attach: null, ended: false }, null);
  }

  /** Step 7. Off the critical path. */
  #commit(granter: NodeRef): void {
    const { host, cas, key } = this.slot;
    cas.submit(
      (record) => (record === null ? null : commit(record, host.self, this.#epoch, granter, this.store.wantedStandbys(record))),
      ({ record }) => {
        if (this.#stopped) return;
        if (record === null || record.owner !== host.self || record.epoch !== this.#epoch) {
          if (record !== null) this.onRecord(record);
          return;
        }
        this.#recorded = true;
        this.adoptInSync(record);
        host.send(granter, "control", { t: "released", session: key, epoch: this.#epoch });
        this.recordChanged();
        if (this.cell.ended) this.#end();
        else this.#keeper.check();
      },
    );
  }

  /** The record is the word on who is in-sync: who is not named (any more) need not be waited for, unless it is being brought in. */
  adoptInSync(record: SessionRecord): void {
    for (const [ref, feed] of [...this.#feeds]) {
      if (record.inSync.includes(ref)) {
        feed.recorded = true;
      } else if (feed.recorded || feed.waited) {
        if (this.#isComing(ref)) continue;
        this.dropFeed(ref);
      }
    }
    this.store.adopt(record);
    this.#release();
  }

  /** A session that was here only briefly may leave its next owner as soon: its clients had better wait. */
  settleMs(): number {
    const { bounceSettleMs } = this.host.limits;
    return this.host.clock.now() - this.#sinceMs < bounceSettleMs * 2 ? bounceSettleMs : 0;
  }

  // ---- turns ----

  onClient(_from: NodeRef, op: ClientOp): void {
    this.#turns.enqueue(op);
  }

  #settled(waiting: Waiting, result: TurnResult): void {
    if (isClientOp(waiting) && waiting.t === "input") this.#askToAttach(waiting);
    if (result.outcome === "committed") {
      this.#committed(waiting, result);
    } else if (isClientOp(waiting)) {
      if (result.outcome === "duplicate") {
        const link = this.cell.links.get(waiting.link);
        if (link !== undefined) this.#releaser.acknowledgeAgain(link);
      } else if (result.outcome === "ignored") {
        this.#ignored(waiting, result.attach);
      }
    }
  }

  #committed(waiting: Waiting, result: TurnResult): void {
    if (result.delta !== null) {
      const before = this.#hash;
      this.#hash = this.host.crc32(result.delta, before);
      this.log.push(result.delta, before);
      for (const feed of this.#feeds.values()) feed.onDelta(result.delta, before);
      this.store.onTurn();
    } else if (this.log.toVersion !== result.version) {
      this.#hash = afterUnrecorded(this.#hash, this.#epoch, result.version);
      this.log.reset(result.version);
      for (const feed of this.#feeds.values()) if (feed.following) feed.resend(); // it came while the turn was in hand
      this.store.onTurn();
    }
    const attach = isClientOp(waiting) && waiting.t === "attach" ? waiting : null;
    this.#releaser.hold(result, attach === null || result.attach === null ? null : this.#welcome(attach, result.attach));
    for (const gone of result.closed) this.#turns.forgetLink(gone.link);
    this.#release();
    if (isClientOp(waiting) ? waiting.t === "detach" : waiting.kind === "detach" || waiting.kind === "branch") this.#alarms.linkAway();
    this.#alarms.rearm();
    if (result.ended) this.#end();
  }

  #ignored(op: ClientOp, verdict: AttachVerdict | null): void {
    if (op.t === "attach" && verdict !== null && !verdict.ok) {
      this.#answers.refuseByVerdict(op, verdict.error);
    } else if (op.t === "input" && !this.cell.links.has(op.link) && !this.#eventual) {
      this.#answers.unknownLink(op);
    }
  }

  /** [12] Called by what answers clients. */
  afterRelease(say: () => void): void {
    this.#releaser.after(this.cell.version, say);
  }

  /** Runs when the attach is released: from then on the link's outputs go to this socket. */
  #welcome(op: PeerMessageOf<"attach">, verdict: AttachVerdict): () => void {
    return () => {
      if (!verdict.ok) {
        this.#answers.refuseAttach(op, verdict.error.code, verdict.error.message, 0);
        return;
      }
      this.#answers.welcome(op, verdict);
      if (verdict.reason === "E_TURNS_LOST") {
        const { lostOutputs, lostInputs } = verdict;
        this.host.onTurnsLost({ session: this.key, link: op.link, lostOutputs, lostInputs });
      }
      const link = this.cell.links.get(op.link);
      if (link !== undefined) this.#releaser.attached(link, { generation: verdict.generation, ingress: op.ingress }, verdict.lastIn);
    };
  }

  #linkAck(op: PeerMessageOf<"linkAck">): void {
    const link = this.cell.links.get(op.link);
    this.#askToAttach(op);
    if (link === undefined) {
      if (!this.#eventual) this.#answers.unknownLink(op);
      return;
    }
    this.cell.acknowledge(op.link, op.generation, op.seq);
    if (op.gap) this.#releaser.resend(link);
  }

  /** A socket whose link has none: its attach was lost, or a late copy of an older one took its place. Its client says hello again. */
  #askToAttach(op: PeerMessageOf<"input"> | PeerMessageOf<"linkAck">): void {
    const link = this.cell.links.get(op.link);
    if (link === undefined ? !this.#eventual : link.ingress !== null) return;
    this.host.unlink(this.key, { id: op.link, generation: op.generation, ingress: op.ingress });
  }

  // ---- release ----

  /**
   * Releases up to what everybody who is waited for has acknowledged; under `eventual` that is nobody. Without the lease nothing is: who
   * has acknowledged may have taken over and died, so that the session was lost and has begun anew.
   */
  #release(): void {
    if (!this.host.leaseValid()) return;
    let upTo = this.cell.version;
    if (!this.#eventual) {
      for (const feed of this.#feeds.values()) {
        if (!feed.waited) continue;
        if (feed.acked < upTo) upTo = feed.acked;
      }
      const { bound } = this.store;
      if (bound !== null && bound < upTo) upTo = bound;
    }
    this.#releaser.releaseUpTo(upTo);
    this.#turns.onReleased();
    this.#alarms.watchUnconfirmed();
  }

  // ---- replicas ----

  #addFeed(ref: NodeRef): Feed {
    const feed = new Feed(this, ref);
    if (this.#feeds.size === 0 && this.log.toVersion !== this.cell.version) this.log.reset(this.cell.version);
    this.#feeds.set(ref, feed);
    return feed;
  }

  /** The feed of a replica, made when there is none; the caller starts it. */
  openFeed(ref: NodeRef): { feed: Feed; fresh: boolean } {
    const present = this.#feeds.get(ref);
    return present === undefined ? { feed: this.#addFeed(ref), fresh: true } : { feed: present, fresh: false };
  }

  /** Ends a feed that no record names; the replica may free its copy. */
  dropFeed(ref: NodeRef): void {
    const feed = this.#feeds.get(ref);
    if (feed === undefined) return;
    feed.stop();
    this.#feeds.delete(ref);
    this.#sendDrop(ref);
    this.#release();
  }

  /** It is being brought in: a write that names it may be waiting or under way, or will be [3]. */
  #isComing(ref: NodeRef): boolean {
    return this.movingTo === ref || this.#keeper.target === ref;
  }

  #sendDrop(ref: NodeRef): void {
    const { host, key } = this.slot;
    host.send(ref, "control", { t: "drop", session: key, epoch: this.#epoch, serial: host.nextRequest() });
  }

  /** Called by feeds. */
  onAcked(feed: Feed): void {
    if (this.#stopped) return;
    this.#release();
    this.#move?.onAcked(feed);
    this.#keeper.onAcked(feed);
  }

  /** Called by the keeper of the replica in the session store. */
  storeChanged(): void {
    this.#release();
  }

  /** A write of this owner stands. */
  recordChanged(): void {
    const { record } = this.slot.cas;
    if (record !== null) this.host.onRecord(this.key, record);
  }

  /** [3] Drops standbys from the record, and only then stops waiting for them. */
  dropStandbys(refs: readonly NodeRef[]): void {
    const { host, cas } = this.slot;
    cas.submit(
      (record) => (record === null ? null : leave(record, host.self, this.#epoch, refs)),
      ({ record }) => {
        if (this.#stopped || record === null) return;
        if (record.owner !== host.self || record.epoch !== this.#epoch) {
          this.onRecord(record);
          return;
        }
        for (const ref of refs) if (!record.inSync.includes(ref) && !this.#isComing(ref)) this.dropFeed(ref);
        this.recordChanged();
        this.#keeper.check();
      },
    );
  }

  checkStandbys(): void {
    if (!this.#stopped) this.#keeper.check();
  }

  // ---- moving ----

  /** Begins a hand-over. The callbacks are called exactly once. */
  move(to: NodeRef, callbacks: MoveCallbacks): void {
    if (this.#move !== null || this.cell.ended || this.#turns.frozen) {
      callbacks.failed("E_MOVE_FAILED", "the session is being moved or has ended");
      return;
    }
    this.#keeper.yieldTo(to);
    this.#move = new MoveOut(this, to, callbacks);
    this.#move.begin();
  }

  submitHook(input: TurnInput, done: () => void): void {
    this.#turns.runHook(input, done);
  }

  moveEnded(move: MoveOut): void {
    if (this.#move !== move) return;
    this.#move = null;
    if (!this.#stopped) this.#keeper.check();
  }

  freeze(then: () => void): void {
    this.#turns.freeze(then);
  }

  thaw(): void {
    this.#turns.thaw();
  }

  takeWaiting(): ClientOp[] {
    return this.#turns.takeWaiting();
  }

  // ---- what others say ----

  onMessage(from: NodeRef, message: SessionMessage): void {
    switch (message.t) {
      case "ack":
      case "pieces":
        if (message.epoch > this.#epoch) this.verify();
        else if (message.epoch === this.#epoch) this.#feeds.get(from)?.onAnswer(message);
        return;
      case "accept":
      case "refuse":
        this.#move?.onAnswer(from, message);
        this.#keeper.onAnswer(from, message);
        return;
      case "declined":
      case "fence":
        if (message.epoch > this.#epoch) this.verify();
        return;
      case "leave":
        if (this.#isComing(from)) return;
        if (this.#feeds.has(from) || this.slot.cas.record?.inSync.includes(from) === true) this.dropStandbys([from]);
        else this.#sendDrop(from);
        return;
      case "grant":
        answerGrant(this.host, from, message, { epoch: this.#epoch, cause: this.#start.cause });
        return;
      case "delta":
      case "base":
        if (message.epoch < this.#epoch) this.host.send(from, "control", { t: "fence", session: this.key, epoch: this.#epoch });
        else if (message.epoch > this.#epoch) this.verify();
        return;
      case "offer":
        refuseOffer(this.host, from, message);
        return;
      default:
        return;
    }
  }

  /** Somebody has seen a newer epoch: only the directory decides what it means. */
  verify(): void {
    if (this.#verifying) return;
    this.#verifying = true;
    this.slot.cas.submit(
      () => null,
      ({ record }) => {
        this.#verifying = false;
        if (record !== null && !this.#stopped) this.onRecord(record);
      },
    );
  }

  onRecord(record: SessionRecord): void {
    const { host } = this.slot;
    if (record.epoch < this.#epoch) return;
    if (record.ended && !this.cell.ended) {
      this.#stepDown(record);
    } else if (record.owner !== host.self) {
      this.#stepDown(record);
    } else if (record.epoch > this.#epoch) {
      this.#adoptEpoch(record);
    }
  }

  /** The heir declined, or was found dead: this node goes on as owner at a newer epoch. */
  #adoptEpoch(record: SessionRecord): void {
    this.#epoch = record.epoch;
    this.slot.raiseFence(record.epoch);
    this.#recorded = true;
    this.#move?.revert("the target declined");
    this.adoptInSync(record);
    for (const feed of this.#feeds.values()) feed.resend();
    this.store.newEpoch();
    if (this.#turns.frozen) this.thaw();
    if (this.cell.ended) this.#end();
    else this.#keeper.check();
  }

  /** Somebody else owns the session: nothing of this node's turns that was not acknowledged is ever seen. */
  #stepDown(record: SessionRecord): void {
    const { host, key } = this.slot;
    host.onIncident(key, "E_EPOCH_STALE", `stepped down from epoch ${this.#epoch}: the record names ${record.owner} at ${record.epoch}`);
    this.#move?.revert("the session was taken over");
    const waiting = record.ended ? [] : this.#turns.takeWaiting();
    if (record.inSync.includes(host.self) && !this.cell.busy) {
      const replica = { cell: this.cell, version: this.cell.version, hash: this.#hash };
      this.slot.becomeStandby({ owner: record.owner, epoch: record.epoch, replica });
    } else {
      this.slot.becomeAbsent();
    }
    if (!record.ended) host.ownerChanged(key, record.epoch, record.owner, host.self, 0, 0);
    for (const op of waiting) relay(host, record.owner, op);
  }

  onEnded(ref: NodeRef): void {
    for (const link of this.cell.links.values()) if (link.ingress === ref) this.#lostIngress(link);
    const record = this.slot.cas.record;
    if (record?.heir === ref && record.owner === this.host.self) {
      this.#takeBack();
    } else if (this.#move?.target === ref) {
      this.#move.targetEnded();
    }
    this.#keeper.onEnded(ref);
    const feed = this.#feeds.get(ref);
    if (feed === undefined || record?.heir === ref) return;
    if (feed.recorded || feed.waited) this.dropStandbys([ref]);
  }

  onSuspected(ref: NodeRef): void {
    this.#keeper.onSuspected(ref);
  }

  #takeBack(): void {
    const { host, cas } = this.slot;
    cas.submit(
      (record) => (record === null ? null : takeBack(record, host.self, this.#epoch)),
      ({ record }) => {
        if (record !== null && !this.#stopped) this.onRecord(record);
      },
    );
  }

  #lostIngress(link: LinkAddress): void {
    this.#turns.enqueue({ kind: "detach", link: link.id, generation: link.generation });
  }

  onUp(ref: NodeRef): void {
    this.#feeds.get(ref)?.resend();
  }

  onLeaseResumed(): void {
    this.#turns.onLeaseResumed();
    if (!this.#stopped) this.#release();
  }

  // ---- the end ----

  /** The session ended in a turn: once that is released, the record becomes a tombstone. */
  #end(): void {
    this.#move?.cancel("the session has ended");
    const { host, cas, key } = this.slot;
    cas.submit(
      (record) => (record === null ? null : end(record, host.self, this.#epoch)),
      ({ outcome, record }) => {
        if (this.#stopped) return;
        if (outcome === "applied" || record?.ended === true) {
          for (const ref of [...this.#feeds.keys()]) this.dropFeed(ref);
          this.store.empty();
          this.#release();
          if (record !== null) host.onRecord(key, record);
          this.slot.becomeAbsent();
        } else if (record !== null) {
          this.onRecord(record); // an heir is recorded: tried again when it has declined, or it is owner and ends the session itself
        }
      },
    );
  }

  stop(): void {
    this.#stopped = true;
    this.store.stop();
    this.#turns.stop();
    this.#alarms.stop();
    for (const feed of this.#feeds.values()) feed.stop();
    this.#move?.stop();
    this.#keeper.stop();
    this.#stranded.stop();
  }
}
