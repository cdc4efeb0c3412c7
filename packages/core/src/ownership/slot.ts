import type { NodeRef, SessionKey } from "../names.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { CasDriver } from "./cas-driver.js";
import { GrantedRole } from "./granted.js";
import { OwnerRole } from "./owner.js";
import { misdirect } from "./relay.js";
import { RestoringRole } from "./restoring.js";
import type {
  ClientOp,
  GrantedStart,
  MoveCallbacks,
  OwnerStart,
  RestoreStart,
  Role,
  SessionMessage,
  SlotPort,
  StandbyStart,
} from "./role.js";
import type { SlotHost } from "./slot-host.js";
import { StandbyRole } from "./standby.js";

/** What an empty slot is. */
const ABSENT: Role = {
  kind: "absent",
  cell: null,
  onClient: () => undefined,
  onMessage: () => undefined,
  onRecord: () => undefined,
  onEnded: () => undefined,
  onSuspected: () => undefined,
  onUp: () => undefined,
  onLeaseResumed: () => undefined,
  stop: () => undefined,
};

/** One session's place on one node: exactly one role at a time, and what outlives roles (the fence, the record as it is known). */
export class Slot implements SlotPort {
  readonly key: SessionKey;
  readonly host: SlotHost;
  readonly cas: CasDriver;
  readonly #onChange: (slot: Slot) => void;
  sizeBytes = 0;
  #role: Role = ABSENT;
  #fence = 0;

  /** @param onChange called after each change of role, and when no write is under way any more; a slot that is `empty` may be thrown away */
  constructor(host: SlotHost, key: SessionKey, record: SessionRecord | null | undefined, onChange: (slot: Slot) => void) {
    this.host = host;
    this.key = key;
    this.#onChange = onChange;
    this.cas = new CasDriver(host, key, record, { heard: (news) => this.#show(news), idle: () => onChange(this) });
    this.#fence = record?.epoch ?? 0;
  }

  get role(): Role {
    return this.#role;
  }
  /** Nothing is here, and nothing that was begun can still come to something. */
  get empty(): boolean {
    return this.#role.kind === "absent" && !this.cas.pending;
  }
  get fence(): number {
    return this.#fence;
  }
  get cell(): SessionCell | null {
    return this.#role.cell;
  }
  get owner(): OwnerRole | null {
    return this.#role instanceof OwnerRole ? this.#role : null;
  }

  /** Whose session a copy here is, as far as it knows; null without one. */
  get followed(): NodeRef | null {
    return this.#role instanceof StandbyRole ? this.#role.owner : null;
  }

  raiseFence(epoch: number): void {
    if (epoch > this.#fence) this.#fence = epoch;
  }

  becomeOwner(start: OwnerStart): void {
    this.raiseFence(start.epoch);
    const role = new OwnerRole(this, start);
    this.#become(role);
    role.begin();
  }

  becomeGranted(start: GrantedStart): void {
    const role = new GrantedRole(this, start);
    this.#become(role);
    role.begin();
  }

  becomeStandby(start: StandbyStart): void {
    this.raiseFence(start.epoch);
    const role = new StandbyRole(this, start);
    this.#become(role);
    role.begin();
  }

  becomeRestoring(start: RestoreStart): void {
    const { store } = this.host;
    if (store === null) return;
    this.raiseFence(start.epoch);
    const role = new RestoringRole(this, start, store);
    this.#become(role);
    role.begin();
  }

  becomeAbsent(): void {
    this.#become(ABSENT);
  }

  #become(role: Role): void {
    const { cell } = this.#role;
    this.#role.stop();
    if (role === ABSENT && cell?.keepsLazy === true) this.host.retain(this.key, cell);
    this.#role = role;
    this.#onChange(this);
  }

  redeliver(from: NodeRef, message: SessionMessage): void {
    this.#role.onMessage(from, message);
  }

  onClient(from: NodeRef, op: ClientOp): void {
    if (this.#role.kind === "absent") misdirect(this.host, op);
    else this.#role.onClient(from, op);
  }

  /** An offer, a base or a GRANT can find the slot empty; anything else then means nothing. */
  onMessage(from: NodeRef, message: SessionMessage): void {
    if (this.#role.kind === "absent") {
      if (message.t === "offer" && message.epoch >= this.#fence) {
        this.becomeStandby({ owner: from, epoch: message.epoch, replica: null });
      } else if (message.t === "delta") {
        if (message.epoch < this.#fence) this.host.send(from, "control", { t: "fence", session: this.key, epoch: this.#fence });
        else this.#verifyAbsence(from, message);
        return;
      }
    }
    this.#role.onMessage(from, message);
  }

  /** An owner feeds a copy that is not here. If the record names this node, it must get one again. */
  #verifyAbsence(from: NodeRef, message: PeerMessageOf<"delta">): void {
    if (this.cas.pending) return; // it is sent again
    this.cas.submit(
      () => null,
      ({ record }) => {
        if (this.#role.kind !== "absent" || record === null || record.owner !== from || !record.inSync.includes(this.host.self)) return;
        this.becomeStandby({ owner: from, epoch: record.epoch, replica: null });
        this.#role.onMessage(from, { ...message, deltas: [], table: null });
      },
    );
  }

  /** A newer record, from wherever. A node that is recorded as heir has duties [7] even when it holds nothing. */
  onRecord(record: SessionRecord): void {
    if (this.cas.learn(record)) this.#show(record);
  }

  #show(record: SessionRecord): void {
    this.raiseFence(record.epoch);
    if (this.#role.kind === "absent" && record.heir === this.host.self && !record.ended) {
      this.becomeStandby({ owner: record.owner, epoch: record.epoch, replica: null });
    } else {
      this.#role.onRecord(record);
    }
  }

  /** Somebody acts, or has acted, in a newer epoch than the one that is owned here: the directory is asked what that means. */
  onNewerEpoch(): void {
    this.owner?.verify();
  }

  onEnded(ref: NodeRef): void {
    this.#role.onEnded(ref);
  }

  onSuspected(ref: NodeRef): void {
    this.#role.onSuspected(ref);
  }

  onUp(ref: NodeRef): void {
    this.#role.onUp(ref);
  }

  onLeaseResumed(): void {
    this.#role.onLeaseResumed();
  }

  move(to: NodeRef, callbacks: MoveCallbacks): void {
    const { owner } = this;
    if (owner === null) callbacks.failed("E_MOVE_FAILED", "this node does not own the session");
    else owner.move(to, callbacks);
  }

  /** The node's life is over: nothing acts any more. */
  dispose(): void {
    this.cas.dispose();
    this.#role.stop();
    this.#role = ABSENT;
  }
}
