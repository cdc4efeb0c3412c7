import { type NodeRef, nodeIdOf } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import { takeBack } from "./drafts.js";
import { relay } from "./relay.js";
import type { ClientOp, GrantedStart, Role, SessionMessage, SlotPort } from "./role.js";

/**
 * The old owner after its GRANT [5, 6]: it runs no turn and releases nothing; it keeps the frozen session until the target runs or the
 * session is its own again. It passes clients' traffic on at once, and keeps a copy of what waited in case it has to go on itself.
 */
export class GrantedRole implements Role {
  readonly kind = "granted";
  readonly cell: SessionCell;
  readonly #slot: SlotPort;
  readonly #start: GrantedStart;
  readonly #waiting: ClientOp[];
  #timer: Scheduled | null = null;
  #pauseMs: number;
  #takingBack = false;
  /** Whoever asked for the move has been told how it ended. */
  #told = false;
  #stopped = false;

  constructor(slot: SlotPort, start: GrantedStart) {
    this.#slot = slot;
    this.#start = start;
    this.cell = start.cell;
    this.#waiting = [...start.waiting];
    this.#pauseMs = slot.host.limits.grantResendMs;
  }

  /** The GRANT is on its way already; what waited goes behind it. */
  begin(): void {
    this.#sendLater();
    for (const op of this.#waiting) relay(this.#slot.host, this.#start.to, op);
    if (this.#slot.host.isEnded(this.#start.to)) this.#takeBack();
  }

  get #epoch(): number {
    return this.#start.grant.epoch - 1;
  }

  #send(): void {
    const { host } = this.#slot;
    host.send(this.#start.to, "control", this.#start.grant);
    this.#sendLater();
  }

  #sendLater(): void {
    const { clock, limits } = this.#slot.host;
    this.#timer?.cancel();
    this.#timer = clock.schedule(this.#pauseMs, () => {
      this.#pauseMs = Math.min(this.#pauseMs * 1.5, limits.grantResendMs * 20);
      this.#send();
    });
  }

  onClient(_from: NodeRef, op: ClientOp): void {
    if (this.#waiting.length < this.#slot.host.limits.maxQueuedInputs) this.#waiting.push(op);
    relay(this.#slot.host, this.#start.to, op);
  }

  onMessage(from: NodeRef, message: SessionMessage): void {
    const { grant, to } = this.#start;
    switch (message.t) {
      case "taken":
        if (from === to && message.epoch === grant.epoch && message.attempt === grant.attempt) this.#taken(message.blackoutMs);
        return;
      case "delta":
      case "base":
      case "piece":
      case "offer":
        // Only who has taken the session sends these at the new epoch; its TAKEN was lost or comes later.
        if (from === to && message.epoch === grant.epoch) this.#taken(0);
        else if (message.epoch > grant.epoch) this.#superseded(from, message.epoch);
        else return;
        this.#slot.redeliver(from, message);
        return;
      case "declined":
        if (from === to && message.epoch === grant.epoch + 1) this.#verify();
        return;
      case "ack":
        if (from === to) this.#refusedGrant(message.want);
        return;
      case "fence":
        if (message.epoch > this.#epoch) this.#verify();
        return;
      default:
        return;
    }
  }

  /** The target could not apply the GRANT. */
  #refusedGrant(want: "nothing" | "deltas" | "base" | "table"): void {
    const { host, key } = this.#slot;
    const { grant, to } = this.#start;
    if (want === "nothing") return;
    host.forgetTables(to);
    if (want === "table") host.send(to, "control", { ...grant, table: host.tableFor(to, key, grant.deltas) });
    else host.send(to, "control", { t: "cancel", session: key, epoch: this.#epoch, attempt: grant.attempt });
  }

  #taken(blackoutAtTargetMs: number): void {
    const { host, key } = this.#slot;
    const { grant, to, startedAtMs, frozenAtMs, callbacks, cell } = this.#start;
    const now = host.clock.now();
    const blackoutMs = now - frozenAtMs;
    this.#told = true;
    this.#slot.becomeStandby({ owner: to, epoch: grant.epoch, replica: { cell, version: grant.version, hash: grant.hash } });
    host.ownerChanged(key, grant.epoch, to, host.self, blackoutAtTargetMs > 0 ? blackoutAtTargetMs : blackoutMs, grant.settleMs);
    const report = { session: key, from: host.self, to, epoch: grant.epoch, blackoutMs, totalMs: now - startedAtMs };
    host.onMoved(report);
    callbacks.moved(report);
  }

  onRecord(record: SessionRecord): void {
    const { host } = this.#slot;
    const { grant, to, cell } = this.#start;
    if (record.epoch < grant.epoch) return;
    if (record.owner === to && record.epoch === grant.epoch) {
      this.#taken(0);
    } else if (record.owner === host.self && !record.ended) {
      this.#resume(record);
    } else {
      this.#fail(`somebody else took the session at epoch ${record.epoch}`);
      if (record.inSync.includes(host.self)) {
        this.#slot.becomeStandby({ owner: record.owner, epoch: record.epoch, replica: { cell, version: grant.version, hash: grant.hash } });
      } else {
        this.#slot.becomeAbsent();
      }
    }
  }

  /** Declined or taken back: the session runs here again, what waited first. */
  #resume(record: SessionRecord): void {
    const { grant, to, cell } = this.#start;
    const waiting = this.#waiting.splice(0);
    this.#told = true; // below, once the session runs
    this.#slot.becomeOwner({
      cell,
      epoch: record.epoch,
      hash: grant.hash,
      released: grant.released,
      waitedFor: record.inSync,
      upToDate: null,
      cause: { kind: "resumed", heirLost: this.#slot.host.isEnded(to) },
      waiting,
    });
    this.#start.callbacks.failed("E_MOVE_FAILED", `node ${nodeIdOf(to)} did not take the session; it runs at its source again`);
  }

  #superseded(from: NodeRef, epoch: number): void {
    const { grant, cell } = this.#start;
    this.#fail("the session has gone on elsewhere");
    this.#slot.becomeStandby({ owner: from, epoch, replica: { cell, version: grant.version, hash: grant.hash } });
  }

  /** Somebody says that the record has changed: only the directory decides that. */
  #verify(): void {
    this.#slot.cas.submit(
      () => null,
      ({ record }) => {
        if (record !== null && !this.#stopped) this.onRecord(record);
      },
    );
  }

  onEnded(ref: NodeRef): void {
    if (ref === this.#start.to) this.#takeBack();
  }

  #takeBack(): void {
    if (this.#takingBack) return;
    this.#takingBack = true;
    const { host, cas } = this.#slot;
    cas.submit(
      (record) => (record === null ? null : takeBack(record, host.self, this.#epoch)),
      ({ record }) => {
        this.#takingBack = false;
        // The watch may have told it first: then the session runs already.
        if (record !== null && !this.#stopped) this.onRecord(record);
      },
    );
  }

  onSuspected(_ref: NodeRef): void {
    // [7] Only a living heir declines, and one that was granted may be acting.
  }

  onUp(ref: NodeRef): void {
    if (ref === this.#start.to) this.#send();
  }

  onLeaseResumed(): void {
    // What it does needs no lease.
  }

  #fail(message: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#start.callbacks.failed("E_MOVE_FAILED", message);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#fail("the node's life ended before it heard what became of the session");
  }
}
