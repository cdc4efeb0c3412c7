import { errorCodeOf } from "../errors/sojourn-error.js";
import type { NodeRef } from "../names.js";
import type { SessionRecord } from "../ports/directory.js";
import type { StoredReplica } from "../ports/session-store.js";
import type { StoreWriter } from "../store/store-writer.js";
import { Backoff } from "./backoff.js";
import { LinkAnswers } from "./link-answers.js";
import { relay } from "./relay.js";
import { replay } from "./replay.js";
import type { ClientOp, RestoreStart, Role, SessionMessage, SlotPort } from "./role.js";

/**
 * The recorded owner of a session of which no copy in memory is left: it shuts older epochs out of the session store, reads what that
 * holds, and becomes the owner of it. Nothing runs before; what clients say waits, bounded.
 */
export class RestoringRole implements Role {
  readonly kind = "restoring";
  readonly cell = null;
  readonly #slot: SlotPort;
  readonly #start: RestoreStart;
  readonly #store: StoreWriter;
  readonly #backoff: Backoff;
  readonly #answers: LinkAnswers;
  readonly #waiting: ClientOp[] = [];
  #stopped = false;

  constructor(slot: SlotPort, start: RestoreStart, store: StoreWriter) {
    this.#slot = slot;
    this.#start = start;
    this.#store = store;
    const { clock, random, limits } = slot.host;
    this.#backoff = new Backoff(clock, random, limits.storeRetryMs);
    const { epoch } = start;
    this.#answers = new LinkAnswers(slot.host, slot.key, { epoch, afterRelease: (say) => say() });
  }

  begin(): void {
    this.#fence();
  }

  /** [9] Fence before you read. */
  #fence(): void {
    const { key } = this.#slot;
    this.#ask(this.#store.fence(key, this.#start.epoch), (answer) => {
      if (answer.outcome === "stale") this.#stale(answer.epoch);
      else this.#ask(this.#store.read(key), (replica) => this.#found(replica));
    });
  }

  /** Nobody can have written in a newer epoch than the one on record, unless the record has gone on. */
  #stale(epoch: number): void {
    const { host, key, cas } = this.#slot;
    host.onIncident(key, "E_EPOCH_STALE", `the session store knows of epoch ${epoch}, the record of ${this.#start.epoch}`);
    cas.submit(
      () => null,
      ({ record }) => {
        if (this.#stopped) return;
        if (record !== null) this.onRecord(record);
        if (!this.#stopped) this.#backoff.failed(() => this.#fence());
      },
    );
  }

  #ask<T>(answer: Promise<T>, then: (value: T) => void): void {
    answer.then(
      (value) => {
        if (this.#stopped) return;
        this.#backoff.succeeded();
        then(value);
      },
      (error: unknown) => {
        if (this.#stopped) return;
        if (errorCodeOf(error) === "E_STORE_DAMAGED") this.#beginAnew("E_STORE_DAMAGED", "nothing of it in the store can be read");
        else this.#tryAgain(error);
      },
    );
  }

  #tryAgain(error: unknown): void {
    const { host, key } = this.#slot;
    if (this.#backoff.failures === 0) {
      host.onIncident(key, errorCodeOf(error), `not restored yet: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#backoff.failed(() => this.#fence());
  }

  #found(replica: StoredReplica | null): void {
    const { host, key } = this.#slot;
    const factory = host.factoryOf(key);
    const codec = host.codecOf(key);
    if (factory === null || codec === null) return;
    if (replica === null) {
      this.#beginAnew("E_SESSION_LOST", "the session store has nothing of it");
      return;
    }
    try {
      const { cell, hash, lostTurns, complete, logBytes } = replay(key, replica, factory, codec, host.crc32);
      const whole = complete && this.#start.stored;
      if (!whole) {
        const { damage } = replica;
        const found = damage === null ? "" : ` (${damage.damagedBases} damaged snapshots, ${damage.cutRecords} cut records)`;
        const lost = lostTurns > 0 ? `at least ${lostTurns} later turns are lost` : "later turns that were not stored are lost";
        host.onIncident(key, "E_TURNS_LOST", `restored at turn ${cell.version}; ${lost}${found}`);
      }
      const logTurns = cell.version - replica.base.version;
      const { epoch, from } = this.#start;
      const baseBytes = replica.base.bytes.length;
      this.#becomeOwner({ cell, epoch, hash, cause: { kind: "restored", from, complete: whole, logTurns, logBytes, baseBytes } });
    } catch (error) {
      // A node with the newer definition can read it; nothing is lost.
      if (errorCodeOf(error) === "E_STATE_VERSION") this.#tryAgain(error);
      else this.#beginAnew(errorCodeOf(error), error instanceof Error ? error.message : String(error));
    }
  }

  #beginAnew(code: string, why: string): void {
    const { host, key } = this.#slot;
    const { epoch } = this.#start;
    const cell = host.factoryOf(key)?.create(key, epoch);
    if (cell === undefined) return;
    if (code !== "E_SESSION_LOST") host.onIncident(key, code, why);
    host.onIncident(key, "E_SESSION_LOST", `nobody who held the session is alive, and ${why}; it starts anew`);
    this.#becomeOwner({ cell, epoch, hash: 0, cause: { kind: "created", lost: true } });
  }

  #becomeOwner(start: Pick<Parameters<SlotPort["becomeOwner"]>[0], "cell" | "epoch" | "hash" | "cause">): void {
    this.#slot.becomeOwner({ ...start, released: 0, waitedFor: [], upToDate: null, waiting: this.#waiting });
  }

  onClient(_from: NodeRef, op: ClientOp): void {
    if (this.#waiting.length < this.#slot.host.limits.maxQueuedInputs) this.#waiting.push(op);
    else if (op.t === "attach") this.#answers.refuseAttach(op, "E_SESSION_BUSY", "the session is being restored", 500);
  }

  onMessage(from: NodeRef, message: SessionMessage): void {
    const { host, key } = this.#slot;
    // [9] Whoever acts in an epoch that is over is told so.
    if (message.epoch < this.#start.epoch && (message.t === "delta" || message.t === "base" || message.t === "grant")) {
      host.send(from, "control", { t: "fence", session: key, epoch: this.#start.epoch });
    }
  }

  onRecord(record: SessionRecord): void {
    const { host } = this.#slot;
    if (record.epoch < this.#start.epoch) return;
    if (record.owner === host.self && record.epoch === this.#start.epoch && !record.ended) return;
    const waiting = record.ended ? [] : this.#waiting.splice(0);
    this.#slot.becomeAbsent();
    for (const op of waiting) relay(host, record.owner, op);
  }

  onEnded(): void {
    // It holds nothing of anybody yet.
  }

  onSuspected(): void {
    // It waits for nobody.
  }

  onUp(): void {
    // Nobody sends to it.
  }

  onLeaseResumed(): void {
    // What it does needs no lease.
  }

  stop(): void {
    this.#stopped = true;
    this.#backoff.cancel();
  }
}
