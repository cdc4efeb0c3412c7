import { ByteWriter } from "../bytes/writer.js";
import { errorCodeOf, type SojournError } from "../errors/sojourn-error.js";
import { type NodeRef, nodeIdOf } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import type { AttachVerdict, TurnInput, TurnResult } from "../session/types.js";
import { CLIENT_PROTOCOL, encodeClientFrame } from "../wire/client-frames.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { DeltaLog } from "./delta-log.js";
import { commit, end, leave, takeBack } from "./drafts.js";
import { Feed, type FeedSource } from "./feed.js";
import { MoveOut, type MoveOwner } from "./move-out.js";
import { ParkedInputs } from "./parked-inputs.js";
import { Releaser } from "./release.js";
import type { ClientOp, MoveCallbacks, OwnerStart, Role, SessionMessage, SlotPort } from "./role.js";
import { SessionAlarms } from "./session-alarms.js";
import type { LinkAddress } from "./slot-host.js";
import { type KeeperOwner, StandbyKeeper } from "./standby-keeper.js";
import { toTurnInput } from "./turn-inputs.js";

/** What waits for a turn: a client's message, or something of the node's own. */
type Waiting = ClientOp | TurnInput;

const isClientOp = (waiting: Waiting): waiting is ClientOp => "t" in waiting;

/**
 * The one owner of a session: runs its turns one after another, feeds its replicas, releases what turns produced once those that are
 * waited for have acknowledged it [12], and gives the session away by a MoveOut.
 */
export class OwnerRole implements Role, FeedSource, MoveOwner, KeeperOwner {
  readonly kind = "owner";
  readonly cell: SessionCell;
  readonly slot: SlotPort;
  readonly log: DeltaLog;
  readonly #start: OwnerStart;
  readonly #releaser: Releaser;
  readonly #feeds = new Map<NodeRef, Feed>();
  readonly #parked: ParkedInputs;
  readonly #alarms: SessionAlarms;
  readonly #keeper: StandbyKeeper;
  readonly #writer = new ByteWriter(256);
  readonly #queue: Waiting[] = [];
  #epoch: number;
  #hash: number;
  /** False between taking the session and the directory saying so (step 7). */
  #recorded: boolean;
  #running: Waiting | null = null;
  #pumping = false;
  #frozen: { readonly then: () => void; readonly deadline: Scheduled | null } | null = null;
  #quiet: (() => void)[] = [];
  #move: MoveOut | null = null;
  #hook: { readonly input: TurnInput; readonly done: () => void } | null = null;
  readonly #sinceMs: number;
  /** Links with unconfirmed messages at the last look, with how far they had confirmed. */
  #unconfirmed = new Map<string, number>();
  #stopped = false;

  constructor(slot: SlotPort, start: OwnerStart) {
    this.slot = slot;
    this.cell = start.cell;
    this.#start = start;
    this.#epoch = start.epoch;
    this.#hash = start.hash;
    this.#recorded = start.cause.kind !== "taken";
    const { host, key } = slot;
    this.#sinceMs = host.clock.now();
    this.log = new DeltaLog(host.limits.maxDeltaLogBytes, start.cell.version);
    this.#parked = new ParkedInputs(host.limits.reorderWindowMessages);
    const self = this;
    this.#releaser = new Releaser(
      {
        get epoch() {
          return self.#epoch;
        },
        deliver: (link, frame, close) => host.deliver(key, self.#epoch, link, frame, close),
      },
      start.released,
    );
    this.#keeper = new StandbyKeeper(this);
    this.#alarms = new SessionAlarms(host, start.cell, {
      submit: (input) => this.#enqueue(input),
      resend: () => this.#resendUnconfirmed(),
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
  get released() {
    return this.#releaser.released;
  }
  /** False until the record names this node owner at this epoch. */
  get recorded() {
    return this.#recorded;
  }
  get moving() {
    return this.#move !== null;
  }
  /** Replicas that are kept up to date, with how far each is. */
  get feeds(): ReadonlyMap<NodeRef, Feed> {
    return this.#feeds;
  }

  snapshot(): Uint8Array {
    return this.cell.snapshot();
  }

  // ---- the beginning ----

  /** Starts to act. For a taken session the answer to the granter goes out first. */
  begin(): void {
    const { cause, upToDate, waiting } = this.#start;
    const { host, cas, key } = this.slot;
    const inSync = this.#recorded ? (cas.record?.inSync ?? []) : [];
    for (const ref of this.#start.waitedFor) {
      const feed = this.#addFeed(ref);
      feed.waited = true;
      feed.recorded = inSync.includes(ref);
      if (ref === upToDate) feed.startAt(this.cell.version);
      else feed.startProbing();
    }
    if (cause.kind === "taken") {
      const { attempt, blackoutMs } = cause;
      host.send(cause.from, "control", { t: "taken", session: key, epoch: this.#epoch, attempt, version: this.cell.version, blackoutMs });
    }
    this.#releaser.inherit(this.cell.links, this.#start.released);
    if (this.cell.version > this.#start.released) this.#holdUnreleased();
    if (cause.kind === "taken") {
      this.#enqueue({ kind: "afterMove", from: nodeIdOf(cause.from), blackoutMs: cause.blackoutMs });
    } else if (cause.kind !== "resumed") {
      this.#enqueue({ kind: "wake", reason: cause.kind === "created" ? "created" : "promoted" });
    }
    for (const op of waiting) this.#enqueue(op);
    this.#release();
    this.#alarms.rearm();
    if (cause.kind === "taken") this.#commit(cause.from);
    if (cause.kind === "taken" || cause.kind === "promoted") this.#announce(cause.from, cause.kind === "taken" ? cause.blackoutMs : 0);
    for (const link of this.cell.links.values()) {
      if (link.ingress !== null && host.isEnded(link.ingress)) this.#lostIngress(link);
    }
    for (const ref of [...this.#feeds.keys()]) if (host.isEnded(ref)) this.onEnded(ref);
    if (this.cell.ended) this.#end();
    else this.#keeper.check();
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
      (record) => (record === null ? null : commit(record, host.self, this.#epoch, granter, host.limits.standbys)),
      ({ record }) => {
        if (this.#stopped) return;
        if (record === null || record.owner !== host.self || record.epoch !== this.#epoch) {
          if (record !== null) this.onRecord(record);
          return;
        }
        this.#recorded = true;
        this.#adoptInSync(record);
        host.send(granter, "control", { t: "released", session: key, epoch: this.#epoch });
        this.recordChanged();
        if (this.cell.ended) this.#end();
        else this.#keeper.check();
      },
    );
  }

  /** The record is the word on who is in-sync: who is not named (any more) need not be waited for, unless it is being brought in. */
  #adoptInSync(record: SessionRecord): void {
    for (const [ref, feed] of [...this.#feeds]) {
      if (record.inSync.includes(ref)) {
        feed.recorded = true;
      } else if (feed.recorded || feed.waited) {
        if (this.#move?.target === ref || this.#keeper.target === ref) continue;
        this.dropFeed(ref);
      }
    }
    this.#release();
  }

  /** Tells the nodes on which clients' sockets are. */
  #announce(from: NodeRef, blackoutMs: number): void {
    const { host, key } = this.slot;
    const settleMs = this.#start.cause.kind === "taken" ? this.#start.cause.settleMs : 0;
    const told = new Set<NodeRef>([host.self, from]);
    for (const link of this.cell.links.values()) {
      if (link.ingress === null || told.has(link.ingress)) continue;
      told.add(link.ingress);
      host.send(link.ingress, "control", { t: "route", session: key, epoch: this.#epoch, owner: host.self, from, blackoutMs, settleMs });
    }
    host.ownerChanged(key, this.#epoch, host.self, from, blackoutMs, settleMs);
  }

  /** A session that was here only briefly may leave its next owner as soon: its clients had better wait. */
  settleMs(): number {
    const { bounceSettleMs } = this.host.limits;
    return this.host.clock.now() - this.#sinceMs < bounceSettleMs * 2 ? bounceSettleMs : 0;
  }

  // ---- turns ----

  onClient(_from: NodeRef, op: ClientOp): void {
    this.#enqueue(op);
  }

  #enqueue(waiting: Waiting): void {
    if (this.#stopped) return;
    if (this.#queue.length >= this.host.limits.maxQueuedInputs && isClientOp(waiting)) {
      this.#refuseOp(waiting);
      return;
    }
    this.#queue.push(waiting);
    this.#pump();
  }

  #refuseOp(op: ClientOp): void {
    if (op.t !== "attach") return; // inputs are sent again by the client
    this.#answerProblem(op, "E_QUEUE_FULL", "the session has too much to do", 500);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#queue.length > 0 && this.#frozen === null && this.#running === null && !this.cell.busy && !this.cell.ended) {
      if (!this.host.leaseValid()) break; // [10] the node drops everything once it notices
      this.#execute(this.#queue.shift() as Waiting);
      if (this.#stopped) return;
    }
    this.#pumping = false;
  }

  #execute(waiting: Waiting): void {
    if (isClientOp(waiting) && waiting.t === "linkAck") {
      this.#linkAck(waiting);
      return;
    }
    const input = isClientOp(waiting) ? toTurnInput(waiting) : waiting;
    if (input === null) {
      if (isClientOp(waiting) && waiting.t === "attach") this.#answerProblem(waiting, "E_FRAME_MALFORMED", "bad attach", 0);
      return;
    }
    let result: TurnResult | Promise<TurnResult>;
    try {
      result = this.cell.run(input, this.#feeds.size > 0);
    } catch (error) {
      // Nothing has changed. It would fail again for every input, so the caller is told instead of being kept waiting.
      const code = errorCodeOf(error);
      this.host.onIncident(this.key, code, error instanceof Error ? error.message : String(error));
      if (isClientOp(waiting) && waiting.t === "attach") this.#answerProblem(waiting, code, "the session cannot run on this node", 1_000);
      return;
    }
    if (!("then" in result)) {
      this.#settle(waiting, result);
      return;
    }
    this.#running = waiting;
    result.then((settled) => {
      if (this.#stopped) return;
      this.#running = null;
      this.#settle(waiting, settled);
      for (const task of this.#quiet.splice(0)) task();
      for (const feed of this.#feeds.values()) feed.onQuiet();
      const frozen = this.#frozen;
      if (frozen !== null) {
        frozen.deadline?.cancel();
        frozen.then();
      } else {
        this.#pump();
      }
    });
  }

  #settle(waiting: Waiting, result: TurnResult): void {
    this.#dispose(waiting, result);
    const hook = this.#hook;
    if (hook !== null && hook.input === waiting && result.outcome !== "aborted") {
      this.#hook = null;
      hook.done();
    }
  }

  #dispose(waiting: Waiting, result: TurnResult): void {
    switch (result.outcome) {
      case "committed":
        this.#committed(waiting, result);
        return;
      case "aborted":
        this.#queue.unshift(waiting);
        return;
      case "duplicate":
        if (isClientOp(waiting)) {
          const link = this.cell.links.get(waiting.link);
          if (link !== undefined) this.#releaser.acknowledgeAgain(link);
        }
        return;
      case "early":
        if (isClientOp(waiting) && waiting.t === "input") this.#parked.park(waiting);
        return;
      case "ignored":
        if (isClientOp(waiting)) this.#ignored(waiting, result.attach);
        return;
    }
  }

  #committed(waiting: Waiting, result: TurnResult): void {
    if (result.delta !== null) {
      const before = this.#hash;
      this.#hash = this.host.crc32(result.delta, before);
      this.log.push(result.delta, before);
      for (const feed of this.#feeds.values()) feed.onDelta(result.delta, before);
    } else if (this.log.toVersion !== result.version) {
      this.log.reset(result.version);
    }
    const attach = isClientOp(waiting) && waiting.t === "attach" ? waiting : null;
    this.#releaser.hold(result, attach === null || result.attach === null ? null : this.#welcome(attach, result.attach));
    if (isClientOp(waiting) && waiting.t === "input" && this.#parked.size > 0) {
      const next = this.#parked.next(waiting.link, waiting.seq + 1);
      if (next !== null) this.#queue.unshift(next);
    }
    for (const gone of result.closed) this.#parked.forget(gone.link);
    this.#release();
    if (isClientOp(waiting) ? waiting.t === "detach" : waiting.kind === "detach") this.#alarms.linkAway();
    this.#alarms.rearm();
    if (result.ended) this.#end();
  }

  #ignored(op: ClientOp, verdict: AttachVerdict | null): void {
    if (op.t === "attach" && verdict !== null && !verdict.ok) {
      this.#answerProblem(op, verdict.error.code, verdict.error.message, 0);
    } else if (op.t === "input" && !this.cell.links.has(op.link)) {
      this.#closeSocket({ id: op.link, generation: op.generation, ingress: op.ingress }, "E_LINK_UNKNOWN");
    }
  }

  #closeSocket(link: LinkAddress, code: SojournError["code"]): void {
    const frame = encodeClientFrame(this.#writer, {
      t: "problem",
      code,
      message: "the session knows no such link",
      fatal: true,
      retryAfterMs: 1,
    });
    this.host.deliver(this.key, this.#epoch, link, frame, true);
  }

  #answerProblem(op: PeerMessageOf<"attach">, code: string, message: string, retryAfterMs: number): void {
    const frame = encodeClientFrame(this.#writer, { t: "problem", code, message, fatal: true, retryAfterMs });
    const link = { id: op.link, generation: 0, ingress: op.ingress };
    this.host.answerAttach(this.key, this.#epoch, link, op.socket, false, frame);
  }

  /** Runs when the attach is released: from then on the link's outputs go to this socket. */
  #welcome(op: PeerMessageOf<"attach">, verdict: AttachVerdict): () => void {
    return () => {
      if (!verdict.ok) return;
      const frame = encodeClientFrame(this.#writer, {
        t: "welcome",
        protocol: CLIENT_PROTOCOL,
        epoch: this.#epoch,
        lastIn: verdict.lastIn,
        nextOut: verdict.nextOut,
        generation: verdict.generation,
        recovered: verdict.recovered,
        reason: verdict.reason,
        owner: nodeIdOf(this.host.self),
        endpoint: this.host.endpointOf(this.host.self),
        heartbeatMs: this.host.limits.clientHeartbeatMs,
      });
      const address = { id: op.link, generation: verdict.generation, ingress: op.ingress };
      this.host.answerAttach(this.key, this.#epoch, address, op.socket, true, frame);
      const link = this.cell.links.get(op.link);
      if (link !== undefined && link.generation === verdict.generation) this.#releaser.attached(link);
    };
  }

  #linkAck(op: PeerMessageOf<"linkAck">): void {
    const link = this.cell.links.get(op.link);
    if (link === undefined) {
      this.#closeSocket({ id: op.link, generation: op.generation, ingress: op.ingress }, "E_LINK_UNKNOWN");
      return;
    }
    this.cell.acknowledge(op.link, op.generation, op.seq);
    if (op.gap) this.#releaser.resend(link);
  }

  /** What was unconfirmed at the last look and still is was probably lost on the way. */
  #resendUnconfirmed(): void {
    const unconfirmed = new Map<string, number>();
    for (const link of this.cell.links.values()) {
      if (!this.#releaser.unconfirmed(link)) continue;
      unconfirmed.set(link.id, link.ackedOut);
      if (this.#unconfirmed.get(link.id) === link.ackedOut) this.#releaser.resend(link);
    }
    this.#unconfirmed = unconfirmed;
    if (unconfirmed.size > 0) this.#alarms.watchUnconfirmed();
  }

  // ---- release ----

  /** Releases up to what everybody who is waited for has acknowledged. With nobody, a release needs the lease. */
  #release(): void {
    let upTo = this.cell.version;
    let waited = false;
    for (const feed of this.#feeds.values()) {
      if (!feed.waited) continue;
      waited = true;
      if (feed.acked < upTo) upTo = feed.acked;
    }
    if (!waited && !this.host.leaseValid()) return;
    this.#releaser.releaseUpTo(upTo);
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

  /** A write of this owner stands. */
  recordChanged(): void {
    const { record } = this.slot.cas;
    if (record !== null) this.host.onRecord(this.key, record);
  }

  /** [3] Drops standbys from the record, and only then stops waiting for them. */
  #dropStandbys(refs: readonly NodeRef[]): void {
    const { host, cas } = this.slot;
    cas.submit(
      (record) => (record === null ? null : leave(record, host.self, this.#epoch, refs)),
      ({ record }) => {
        if (this.#stopped || record === null) return;
        if (record.owner !== host.self || record.epoch !== this.#epoch) {
          this.onRecord(record);
          return;
        }
        for (const ref of refs) if (!record.inSync.includes(ref) && this.#move?.target !== ref) this.dropFeed(ref);
        this.recordChanged();
        this.#keeper.check();
      },
    );
  }

  // ---- moving ----

  /** Begins a hand-over. The callbacks are called exactly once. */
  move(to: NodeRef, callbacks: MoveCallbacks): void {
    if (this.#move !== null || this.cell.ended || this.#frozen !== null) {
      callbacks.failed("E_MOVE_FAILED", "the session is being moved or has ended");
      return;
    }
    this.#keeper.yieldTo(to);
    this.#move = new MoveOut(this, to, callbacks);
    this.#move.begin();
  }

  /** Runs a hook as a turn behind what already waits. */
  submitHook(input: TurnInput, done: () => void): void {
    this.#hook = { input, done };
    this.#enqueue(input);
  }

  moveEnded(move: MoveOut): void {
    if (this.#move !== move) return;
    this.#move = null;
    if (!this.#stopped) this.#keeper.check();
  }

  /** No turn starts any more; `then` runs once the turn in hand has ended or, at the deadline, was rolled back. */
  freeze(then: () => void): void {
    if (!this.cell.busy && this.#running === null) {
      this.#frozen = { then, deadline: null };
      then();
      return;
    }
    const deadline = this.host.clock.schedule(this.host.limits.drainDeadlineMs, () => this.cell.abort());
    this.#frozen = { then, deadline };
  }

  thaw(): void {
    this.#frozen?.deadline?.cancel();
    this.#frozen = null;
    this.#pump();
  }

  /** What waits for a turn and came from clients. The node's own inputs are made anew by the next owner. */
  takeWaiting(): ClientOp[] {
    return [...this.#queue.splice(0).filter(isClientOp), ...this.#parked.takeAll()];
  }

  // ---- what others say ----

  onMessage(from: NodeRef, message: SessionMessage): void {
    switch (message.t) {
      case "ack": {
        if (message.epoch > this.#epoch) this.#verify();
        else if (message.epoch === this.#epoch) this.#feeds.get(from)?.onAck(message);
        return;
      }
      case "accept":
      case "refuse":
        this.#move?.onAnswer(from, message);
        this.#keeper.onAnswer(from, message);
        return;
      case "declined":
      case "fence":
        if (message.epoch > this.#epoch) this.#verify();
        return;
      case "leave":
        if (this.#move?.target === from || this.#keeper.target === from) return;
        if (this.#feeds.has(from) || this.slot.cas.record?.inSync.includes(from) === true) this.#dropStandbys([from]);
        else this.#sendDrop(from);
        return;
      case "grant":
        // Sent again because the answer was lost.
        if (this.#start.cause.kind === "taken" && message.epoch === this.#epoch && message.attempt === this.#start.cause.attempt) {
          const { attempt, blackoutMs } = this.#start.cause;
          this.host.send(from, "control", {
            t: "taken",
            session: this.key,
            epoch: message.epoch,
            attempt,
            version: message.version,
            blackoutMs,
          });
        }
        return;
      case "delta":
      case "base":
        if (message.epoch < this.#epoch) this.host.send(from, "control", { t: "fence", session: this.key, epoch: this.#epoch });
        else if (message.epoch > this.#epoch) this.#verify();
        return;
      case "offer":
        this.host.send(from, "control", {
          t: "refuse",
          session: this.key,
          epoch: message.epoch,
          attempt: message.attempt,
          code: "E_EPOCH_STALE",
          retryAfterMs: 0,
        });
        return;
      default:
        return;
    }
  }

  /** Somebody has seen a newer epoch: only the directory decides what it means. */
  #verify(): void {
    this.slot.cas.submit(
      () => null,
      ({ record }) => {
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
    this.#adoptInSync(record);
    for (const feed of this.#feeds.values()) feed.resend();
    if (this.#frozen !== null) this.thaw();
    if (this.cell.ended) this.#end();
    else this.#keeper.check();
  }

  /** Somebody else owns the session: nothing of this node's turns that was not acknowledged is ever seen. */
  #stepDown(record: SessionRecord): void {
    const { host, key } = this.slot;
    host.onIncident(key, "E_EPOCH_STALE", `stepped down from epoch ${this.#epoch}: the record names ${record.owner} at ${record.epoch}`);
    this.#move?.revert("the session was taken over");
    if (record.inSync.includes(host.self) && !this.cell.busy) {
      const replica = { cell: this.cell, version: this.cell.version, hash: this.#hash };
      this.slot.becomeStandby({ owner: record.owner, epoch: record.epoch, replica });
    } else {
      this.slot.becomeAbsent();
    }
    if (!record.ended) host.ownerChanged(key, record.epoch, record.owner, host.self, 0, 0);
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
    if (feed.recorded || feed.waited) this.#dropStandbys([ref]);
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
    this.#enqueue({ kind: "detach", link: link.id, generation: link.generation });
  }

  onUp(ref: NodeRef): void {
    this.#feeds.get(ref)?.resend();
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
    this.#frozen?.deadline?.cancel();
    this.#alarms.stop();
    for (const feed of this.#feeds.values()) feed.stop();
    this.#move?.stop();
    this.#keeper.stop();
    if (this.cell.busy) this.cell.abort();
  }
}
