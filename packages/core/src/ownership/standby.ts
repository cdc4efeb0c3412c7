import { errorCodeOf } from "../errors/sojourn-error.js";
import type { NodeRef } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import { needsStore } from "../strategy/strategy.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { RecordChange } from "./cas-driver.js";
import { CopyReceiver } from "./copy-receiver.js";
import { CopySize } from "./copy-size.js";
import { DeltaLog } from "./delta-log.js";
import { decline, promote, promoteOnSuspicion, takeBack } from "./drafts.js";
import { relay } from "./relay.js";
import type { ClientOp, Role, SessionMessage, SlotPort, StandbyStart } from "./role.js";
import type { SlotHost } from "./slot-host.js";

interface Replica {
  cell: SessionCell;
  version: number;
  hash: number;
  /** The newest epoch whose owner's chain it is known to lie on; 0 before any. */
  epoch: number;
  /** The latest deltas, for the session store, which may lack some of them when this node becomes owner; null without a store. */
  recent: DeltaLog | null;
}

/** The duty of a recorded heir [7]: take the session when the GRANT comes, or decline at the deadline. */
type Heir =
  | { readonly name: "none" }
  | { readonly name: "waiting"; readonly epoch: number; readonly deadline: Scheduled }
  | { readonly name: "declining"; readonly epoch: number };

/** A node that holds a copy of the session, or has reserved room for one. */
export class StandbyRole implements Role {
  readonly kind = "standby";
  readonly #slot: SlotPort;
  #owner: NodeRef;
  #replica: Replica | null;
  readonly #receiver: CopyReceiver;
  #heir: Heir = { name: "none" };
  /** The offer that room is reserved for. */
  #attempt: { readonly from: NodeRef; readonly attempt: number; readonly revision: number; readonly deadline: Scheduled } | null = null;
  #lastOffer: { readonly from: NodeRef; readonly attempt: number } | null = null;
  /** What the granter passed on ahead of a GRANT that is lost or late [15: bounded, and over with the heir's duty]. */
  #parked: ClientOp[] = [];
  #expiry: Scheduled | null = null;
  #promoting = false;
  /** What clients sent while this node was about to take over: others may have read the record before this node has its answer [15: bounded]. */
  #early: ClientOp[] = [];
  readonly #size: CopySize;
  /** Since when this node has known that the present owner owns. */
  #ownedSince: { readonly owner: NodeRef; readonly epoch: number; readonly atMs: number } | null = null;
  /** When the owner's latest position was last reached here. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(slot: SlotPort, start: StandbyStart) {
    this.#slot = slot;
    this.#owner = start.owner;
    this.#replica = start.replica === null ? null : { ...start.replica, epoch: 0, recent: this.#logFrom(start.replica.version) };
    this.#size = new CopySize(slot);
    this.#receiver = new CopyReceiver(slot.host.limits, slot.host.crc32);
  }

  #logFrom(version: number): DeltaLog | null {
    const { host, key, cas } = this.#slot;
    const strategy = cas.record?.strategy ?? host.factoryOf(key)?.strategy ?? "replica";
    return strategy === "replica" || host.store === null ? null : new DeltaLog(host.limits.maxDeltaLogBytes, version);
  }

  get cell(): SessionCell | null {
    return this.#replica?.cell ?? null;
  }

  /** Where the session is believed to be. */
  get owner(): NodeRef {
    return this.#owner;
  }

  begin(): void {
    if (this.#replica !== null) this.#size.taken(this.#slot.sizeBytes);
    this.#watchRetention();
    const record = this.#slot.cas.record;
    if (record !== null) this.onRecord(record);
    if (!this.#stopped && this.#slot.host.isEnded(this.#owner)) this.onEnded(this.#owner);
  }

  onClient(from: NodeRef, op: ClientOp): void {
    // An owner passes on only what came after its freeze. Sent back, the message would go to and fro until its hops are used up.
    if (this.#heir.name === "waiting" && from === this.#owner) {
      if (this.#parked.length < this.#slot.host.limits.maxQueuedInputs) this.#parked.push(op);
    } else if (this.#promoting) {
      if (this.#early.length < this.#slot.host.limits.maxQueuedInputs) this.#early.push(op);
    } else {
      relay(this.#slot.host, this.#owner, op);
    }
  }

  onMessage(from: NodeRef, message: SessionMessage): void {
    const { host, key, fence } = this.#slot;
    if (message.epoch < fence && message.t !== "cancel") {
      // [9] Whoever acts in an epoch that is over is told so.
      if (FROM_OWNERS.has(message.t)) {
        host.send(from, "control", { t: "fence", session: key, epoch: fence });
      }
      return;
    }
    switch (message.t) {
      case "offer":
        this.#offer(from, message);
        return;
      case "base":
        this.#base(from, message);
        return;
      case "piece":
        this.#piece(from, message);
        return;
      case "delta":
        this.#delta(from, message);
        return;
      case "grant":
        this.#grant(from, message);
        return;
      case "cancel":
        this.#cancel(message);
        return;
      case "drop":
        this.#drop(from, message);
        return;
      case "released":
        this.#slot.raiseFence(message.epoch);
        // The granter keeps a copy without having been asked; where that is one too many, the owner finds another node.
        if (host.copiesFull) host.send(from, "control", { t: "leave", session: key, epoch: message.epoch });
        return;
      default:
        return;
    }
  }

  // ---- step 1 ----

  #offer(from: NodeRef, message: PeerMessageOf<"offer">): void {
    const { host, key } = this.#slot;
    const { epoch, attempt } = message;
    const answer = (code: string, retryAfterMs: number) =>
      host.send(from, "control", { t: "refuse", session: key, epoch, attempt, code, retryAfterMs });
    const factory = host.factoryOf(key);
    if (factory === null) {
      answer("E_KIND_UNKNOWN", 0);
      this.#forgetEmpty();
      return;
    }
    if (!factory.canRead(message.stateVersion)) {
      answer("E_STATE_VERSION", 0);
      this.#forgetEmpty();
      return;
    }
    if (this.#attempt === null || this.#attempt.attempt !== attempt) {
      // [11] An offer that came to its end here before, sent again: nobody waits for an answer.
      if (this.#lastOffer?.from === from && this.#lastOffer.attempt >= attempt) return;
      const room = host.reserveRoom(key, message.toKeep);
      if (room !== "reserved") {
        answer(room === "cordoned" ? "E_NODE_CORDONED" : "E_QUEUE_FULL", 250);
        this.#forgetEmpty();
        return;
      }
    }
    const { clock, limits } = host;
    this.#attempt?.deadline.cancel();
    const patienceMs = limits.offerTimeoutMs + limits.copyTimeoutMs + limits.heirDeadlineMs;
    const revision = this.#slot.cas.record?.revision ?? 0;
    this.#attempt = { from, attempt, revision, deadline: clock.schedule(patienceMs, () => this.#endAttempt()) };
    this.#lastOffer = { from, attempt };
    this.#follow(from, epoch);
    const replica = this.#replica;
    const have = replica === null ? null : { epoch, version: replica.version, hash: replica.hash };
    host.send(from, "control", { t: "accept", session: key, epoch, attempt, have });
  }

  #follow(owner: NodeRef, epoch: number): void {
    this.#owner = owner;
    this.#noteOwner(owner, epoch);
    this.#heardAtMs = this.#slot.host.clock.now();
    this.#slot.raiseFence(epoch);
    this.#watchRetention();
  }

  // ---- step 2 and replication ----

  #base(from: NodeRef, message: PeerMessageOf<"base">): void {
    const { host, key } = this.#slot;
    const replica = this.#replica;
    if (replica !== null && replica.version === message.version && replica.hash === message.hash) {
      replica.epoch = message.epoch;
      this.#follow(from, message.epoch);
      this.#ack(from, message.epoch, "nothing");
      return;
    }
    // A base that was sent twice may come behind deltas that overtook it: what was acknowledged is never given up for it.
    if (replica !== null && replica.epoch === message.epoch && replica.version > message.version) {
      this.#ack(from, message.epoch, "nothing");
      return;
    }
    try {
      if (message.table !== null) host.codecOf(key)?.importTable(message.table.slice());
      const copy = this.#receiver.chunk(message);
      if (copy === null) {
        if (message.offset === 0) this.#size.taken(this.#receiver.bytes);
        if (message.copy !== 0) this.#tellPieces(from, message);
        return;
      }
      const factory = host.factoryOf(key);
      if (factory === null) return;
      this.#size.taken(copy.bytes);
      const cell = factory.restore(key, copy.snapshot, copy.apart);
      const { version, hash, epoch } = message;
      this.#replica = { cell, version, hash, epoch, recent: this.#logFrom(version) };
      this.#follow(from, message.epoch);
      this.#ack(from, message.epoch, "nothing");
    } catch (error) {
      this.#receiver.drop();
      this.#refuse(from, message.epoch, error, "base");
    }
  }

  #piece(from: NodeRef, message: PeerMessageOf<"piece">): void {
    try {
      if (this.#receiver.piece(message)) this.#size.taken(this.#receiver.bytes);
    } catch (error) {
      this.#receiver.drop();
      this.#refuse(from, message.epoch, error, "base");
      return;
    }
    if (message.reply) this.#tellPieces(from, message);
  }

  #tellPieces(to: NodeRef, { epoch, copy }: { readonly epoch: number; readonly copy: number }): void {
    const seq = this.#receiver.arrived({ copy, epoch });
    this.#slot.host.send(to, "control", { t: "pieces", session: this.#slot.key, epoch, copy, seq });
  }

  #delta(from: NodeRef, message: PeerMessageOf<"delta">): void {
    const replica = this.#replica;
    if (replica === null) {
      this.#ack(from, message.epoch, this.#receiver.busy ? "nothing" : "base");
      return;
    }
    try {
      const want = this.#apply(replica, message);
      if (want === "nothing") {
        replica.epoch = message.epoch;
        this.#follow(from, message.epoch);
      }
      this.#ack(from, message.epoch, want);
    } catch (error) {
      this.#refuse(from, message.epoch, error, "deltas");
    }
  }

  /** Applies what is new of contiguous deltas. Only what extends the replica on the same chain is applied [14]. */
  #apply(replica: Replica, message: PeerMessageOf<"delta"> | PeerMessageOf<"grant">): "nothing" | "deltas" | "base" {
    const { host, key } = this.#slot;
    const { fromVersion, fromHash, deltas } = message;
    const known = replica.version - fromVersion;
    if (known < 0) return "deltas";
    if (known > deltas.length) return "base"; // this copy is ahead of what the owner has: another branch
    let hash = fromHash;
    for (let i = 0; i < known; i++) hash = host.crc32(deltas[i] as Uint8Array, hash);
    if (hash !== replica.hash) return "base";
    if (message.table !== null) host.codecOf(key)?.importTable(message.table.slice());
    for (let i = known; i < deltas.length; i++) {
      const delta = deltas[i] as Uint8Array;
      replica.cell.apply(delta);
      this.#size.grew(delta.length, replica.cell);
      replica.recent?.push(delta.slice(), replica.hash); // the bytes of the frame are not kept
      replica.hash = host.crc32(delta, replica.hash);
      replica.version++;
    }
    return replica.hash === message.hash || message.t === "delta" ? "nothing" : "base";
  }

  #ack(to: NodeRef, epoch: number, want: "nothing" | "deltas" | "base" | "table"): void {
    const { version, hash } = this.#replica ?? { version: 0, hash: 0 };
    if (this.#replica === null && want === "nothing") return;
    this.#slot.host.send(to, "control", { t: "ack", session: this.#slot.key, epoch, version, hash, want });
  }

  /** Bytes that could not be applied are asked for again and never become state. */
  #refuse(from: NodeRef, epoch: number, error: unknown, want: "deltas" | "base"): void {
    const code = errorCodeOf(error);
    this.#slot.host.onIncident(this.#slot.key, code, error instanceof Error ? error.message : String(error));
    if (code === "E_CODEC_TABLE_UNKNOWN") this.#ack(from, epoch, "table");
    else if (code !== "E_STATE_VERSION") this.#ack(from, epoch, want);
    // The session was brought to a version that this node's code cannot read: it can never follow again, and must not be waited for.
    else this.#slot.host.send(from, "control", { t: "leave", session: this.#slot.key, epoch });
  }

  // ---- steps 5 and 6 ----

  #grant(from: NodeRef, message: PeerMessageOf<"grant">): void {
    const { host, key, cas } = this.#slot;
    const record = cas.record;
    const epoch = message.epoch - 1;
    if (message.to !== host.self || !host.leaseValid()) return;
    // [7] The promise: once this node has begun to decline, it never takes that epoch.
    if (this.#heir.name === "declining" && this.#heir.epoch === epoch) return;
    // [4, 10] What this node knows of the record must not contradict the granter's word that it is heir at this revision.
    if (record !== null && record.revision >= message.revision) {
      if (record.epoch !== epoch || record.heir !== host.self || record.owner !== from) {
        host.send(from, "control", { t: "fence", session: key, epoch: Math.max(this.#slot.fence, record.epoch) });
        return;
      }
    }
    const replica = this.#replica;
    if (replica === null) {
      this.#ack(from, epoch, "base");
      return;
    }
    // Who cannot wait for the store must not own what the store keeps.
    if (needsStore(message.strategy) && host.store === null) {
      this.#decline(epoch);
      return;
    }
    const startedAtMs = host.clock.now();
    try {
      const want = this.#apply(replica, message);
      if (want !== "nothing" || replica.version !== message.version || replica.hash !== message.hash) {
        this.#ack(from, epoch, want === "nothing" ? "base" : want);
        return;
      }
    } catch (error) {
      this.#refuse(from, epoch, error, "deltas");
      return;
    }
    const { inSync, strategy, stored, waitedFor, revision, released, attempt } = message;
    cas.learn({ revision, epoch, owner: from, inSync, heir: host.self, ended: false, strategy, stored, writer: from });
    const blackoutMs = message.frozenForMs + (host.rttMs(from) ?? 0) / 2 + (host.clock.now() - startedAtMs);
    // Nothing can come between here and the role of the owner: the answer need not wait for that to be set up.
    host.send(from, "control", { t: "taken", session: key, epoch: message.epoch, attempt, version: message.version, blackoutMs });
    this.#slot.becomeOwner({
      cell: replica.cell,
      epoch: message.epoch,
      hash: replica.hash,
      released,
      waitedFor: waitedFor.filter((ref) => ref !== host.self),
      upToDate: from,
      ...(replica.recent !== null && { recent: replica.recent }),
      cause: { kind: "taken", from, attempt, blackoutMs, settleMs: message.settleMs },
      waiting: this.#parked,
    });
  }

  // ---- the heir's duty ----

  onRecord(record: SessionRecord): void {
    const { host, key } = this.#slot;
    if (this.#stopped) return;
    if (record.epoch < this.#slot.fence) {
      // The session has gone on since, or has begun again; the record follows, unless who has taken it is gone.
      this.#takeOverFrom(record);
      return;
    }
    if (record.ended) {
      this.#forget();
      return;
    }
    this.#slot.raiseFence(record.epoch);
    if (record.owner !== host.self) this.#owner = record.owner;
    this.#noteOwner(record.owner, record.epoch);
    if (record.heir === host.self) {
      this.#beHeir(record);
    } else {
      this.#beNoHeir();
      // [15] Recorded without being heir: it was wanted as a standby, and has come in.
      if (this.#attempt !== null && record.revision > this.#attempt.revision && record.inSync.includes(host.self)) this.#endAttempt();
    }
    this.#watchRetention();
    if (record.owner === host.self && record.heir !== host.self && !this.#promoting && !this.#slot.cas.pending) {
      // The record names this node owner, but it has no such role, nor is about to have it: nobody else may act.
      host.onIncident(key, "E_INTERNAL", `the record names this node owner at epoch ${record.epoch}`);
    }
    this.#takeOverFrom(record);
  }

  #beHeir(record: SessionRecord): void {
    if (this.#heir.name !== "none" && this.#heir.epoch === record.epoch) return;
    this.#beNoHeir();
    const { clock, limits } = this.#slot.host;
    const { epoch } = record;
    const deadline = clock.schedule(limits.heirDeadlineMs, () => this.#decline(epoch));
    this.#heir = { name: "waiting", epoch, deadline };
  }

  #beNoHeir(): void {
    if (this.#heir.name === "waiting") this.#heir.deadline.cancel();
    this.#heir = { name: "none" };
    this.#parked = []; // the granter kept them too
  }

  /** [7] First the promise, then the write. */
  #decline(epoch: number): void {
    if (this.#stopped || this.#heir.name === "declining") return;
    if (this.#heir.name === "waiting") this.#heir.deadline.cancel();
    this.#heir = { name: "declining", epoch };
    const { host, cas, key } = this.#slot;
    const attempt = this.#attempt?.attempt ?? 0;
    this.#endAttempt();
    cas.submit(
      (record) => (record === null ? null : decline(record, host.self, epoch)),
      ({ outcome, record }) => {
        if (this.#stopped || record === null) return;
        if (outcome === "applied") {
          host.send(record.owner, "control", { t: "declined", session: key, epoch: record.epoch, attempt, revision: record.revision });
        }
        this.onRecord(record);
      },
    );
  }

  #cancel(message: PeerMessageOf<"cancel">): void {
    const record = this.#slot.cas.record;
    if (record !== null && record.heir === this.#slot.host.self && record.epoch === message.epoch) {
      this.#decline(message.epoch);
      return;
    }
    if (this.#attempt?.attempt !== message.attempt) return;
    this.#endAttempt();
    this.#forgetEmpty();
  }

  /**
   * An owner's word that no record names this copy; void when it is older than that owner's latest offer. It may be an owner that this
   * node has not heard of yet: the one who drops the copies that a hand-over leaves behind is the new one.
   */
  #drop(from: NodeRef, message: PeerMessageOf<"drop">): void {
    if (this.#lastOffer?.from === from && this.#lastOffer.attempt > message.serial) return;
    this.#forget();
  }

  // ---- fail-over [8] ----

  onEnded(ref: NodeRef): void {
    // [15] Nothing comes of an offer whose maker is gone.
    if (this.#attempt?.from === ref) this.#endAttempt();
    const record = this.#slot.cas.record;
    if (record !== null && (ref === this.#owner || ref === record.owner || ref === record.heir)) this.#takeOverFrom(record);
  }

  /**
   * A lost owner's session is promoted here; a session that this node granted, and whose heir died before its COMMIT, is taken
   * back [7]: the heir waited for this node, so everything it released is in this copy [6].
   */
  #takeOverFrom(record: SessionRecord): void {
    const { host } = this.#slot;
    if (record.ended) return;
    if (host.isEnded(record.owner)) {
      this.#takeOver((now) => promote(now, host.self, (ref) => host.isEnded(ref)));
    } else if (this.#suspects(record)) {
      this.#takeOver(
        (now) =>
          promote(now, host.self, (ref) => host.isEnded(ref)) ??
          (this.#suspects(now) ? promoteOnSuspicion(now, record, host.self, (ref) => isLost(host, ref)) : null),
      );
    } else if (record.owner === host.self && record.heir !== null && host.isEnded(record.heir)) {
      this.#takeOver((now) => (now.heir === null || !host.isEnded(now.heir) ? null : takeBack(now, host.self, now.epoch)));
    }
  }

  onSuspected(ref: NodeRef): void {
    const { record } = this.#slot.cas;
    if (record === null || ref !== record.owner) return;
    // [7] Nothing will come of the hand-over. Once it is declined the session can go on here.
    if (this.#heir.name === "waiting" && this.#actsOnSuspicion()) this.#decline(this.#heir.epoch);
    else this.#takeOverFrom(record);
  }

  #actsOnSuspicion(): boolean {
    const cell = this.#replica?.cell;
    const factory = this.#slot.host.factoryOf(this.#slot.key);
    if (cell?.durability !== "strong" || factory?.failover !== "suspicion") return false;
    return factory.canRead(cell.stateVersion); // otherwise it can be kept here, but not run
  }

  #noteOwner(owner: NodeRef, epoch: number): void {
    if (this.#ownedSince?.owner === owner && this.#ownedSince.epoch === epoch) return;
    this.#ownedSince = { owner, epoch, atMs: this.#slot.host.clock.now() };
  }

  /**
   * Whether this copy may go on before the owner's lease has ended. Silence counts only against one who has had the session for a
   * while: it may be the session that holds its owners up, one after another.
   */
  #suspects({ owner, epoch, heir, inSync }: SessionRecord): boolean {
    const { host } = this.#slot;
    if (owner === host.self || heir !== null || !inSync.includes(host.self)) return false;
    const suspicion = host.suspicionOf(owner);
    if (suspicion === "none" || !this.#actsOnSuspicion()) return false;
    if (suspicion === "gone") return true;
    const since = this.#ownedSince;
    return since?.owner === owner && since.epoch === epoch && host.clock.now() - since.atMs >= host.limits.suspectSettleMs;
  }

  #takeOver(change: (record: SessionRecord) => ReturnType<RecordChange>): void {
    const { host, key, cas } = this.#slot;
    if (this.#promoting || this.#stopped || this.#replica === null) return;
    this.#promoting = true;
    const parked = this.#parked;
    host.promote(key, (done) => {
      if (this.#stopped) {
        done();
        return;
      }
      const before = cas.record;
      cas.submit(
        (record) => (record === null || this.#stopped || !host.leaseValid() ? null : change(record)),
        ({ outcome, record }) => {
          done();
          this.#promoting = false;
          const early = this.#early;
          this.#early = [];
          if (this.#stopped || record === null) return;
          const applied = outcome === "applied";
          this.#tookOver(applied, before, record, [...parked, ...early]);
          if (!applied) for (const op of early) this.onClient(op.ingress, op);
        },
      );
    });
  }

  #tookOver(applied: boolean, before: SessionRecord | null, record: SessionRecord, waiting: readonly ClientOp[]): void {
    const { host, key } = this.#slot;
    const replica = this.#replica;
    if (replica === null) return;
    if (!applied) {
      this.#owner = record.owner;
      if (record.ended) this.#forget();
      else if (record.revision !== before?.revision) this.#takeOverFrom(record); // somebody was faster, and may be lost as well
      return;
    }
    // A session that was granted from here, and is taken back, was not lost with its owner.
    if (before !== null && before.owner !== host.self) host.onPromoted(key, !host.isEnded(before.owner));
    this.#slot.becomeOwner({
      cell: replica.cell,
      epoch: record.epoch,
      hash: replica.hash,
      released: 0,
      waitedFor: record.inSync,
      upToDate: null,
      ...(replica.recent !== null && { recent: replica.recent }),
      cause: { kind: "promoted", from: this.#owner, stalenessMs: this.#stalenessMs() },
      waiting,
    });
  }

  /** For how long at most this copy has not heard what its owner did. */
  #stalenessMs(): number {
    const { host } = this.#slot;
    return Math.max(0, host.clock.now() - Math.max(this.#heardAtMs, host.heardUntilMs(this.#owner)));
  }

  // ---- the end ----

  /** [15] A copy that no record names is kept for a while, then freed. */
  #watchRetention(): void {
    const { clock, limits } = this.#slot.host;
    this.#expiry?.cancel();
    this.#expiry = this.#named() ? null : clock.schedule(limits.replicaRetentionMs, () => this.#askToLeave());
  }

  /** Only the owner can say that it will not record this copy; with no session left there is nobody to ask. */
  #askToLeave(): void {
    const { host, cas, key } = this.#slot;
    cas.submit(
      () => null,
      ({ record }) => {
        if (this.#stopped) return;
        if (record === null) {
          this.#forget();
          return;
        }
        this.onRecord(record);
        if (this.#stopped || this.#named()) return;
        if (host.isEnded(record.owner)) this.#forget();
        else host.send(record.owner, "control", { t: "leave", session: key, epoch: record.epoch });
      },
    );
  }

  #named(): boolean {
    const record = this.#slot.cas.record;
    const { self } = this.#slot.host;
    return record !== null && !record.ended && (record.inSync.includes(self) || record.heir === self);
  }

  /** [6] A copy may be waited for by an owner whose COMMIT is not known here yet: only its word, or the record, frees it. */
  #forgetEmpty(): void {
    if (this.#replica === null && !this.#named()) this.#forget();
  }

  #forget(): void {
    if (!this.#stopped) this.#slot.becomeAbsent();
  }

  #endAttempt(): void {
    if (this.#attempt === null) return;
    this.#attempt.deadline.cancel();
    this.#attempt = null;
    this.#slot.host.releaseRoom(this.#slot.key);
  }

  onUp(_ref: NodeRef): void {
    // The owner sends again; a standby only answers.
  }

  /** An owner may have ended while this node could not take over. */
  onLeaseResumed(): void {
    const { record } = this.#slot.cas;
    if (record !== null) this.#takeOverFrom(record);
  }

  stop(): void {
    this.#stopped = true;
    this.#size.gone();
    this.#beNoHeir();
    this.#expiry?.cancel();
    this.#endAttempt();
  }
}

/** What only an owner sends. */
const FROM_OWNERS: ReadonlySet<string> = new Set(["offer", "base", "piece", "delta", "grant"]);

function isLost(host: SlotHost, ref: NodeRef): boolean {
  return host.isEnded(ref) || host.suspicionOf(ref) === "gone";
}
