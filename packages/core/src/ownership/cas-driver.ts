import { errorCodeOf } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import type { NodeRef, SessionKey } from "../names.js";
import type { Clock } from "../ports/clock.js";
import type { CasOutcome, Directory, RecordDraft, SessionRecord } from "../ports/directory.js";
import type { Random } from "../ports/random.js";
import { Backoff } from "./backoff.js";

/** A change as of ownership/drafts.ts, applied to the record as it stands. */
export type RecordChange = (record: SessionRecord | null) => Omit<RecordDraft, "writer"> | null;

/**
 * How a change ended. `applied`: it stands at `record`. `void`: from the record that stands now (`record`) the change is not allowed
 * any more, and it has certainly not been and will not be carried out.
 */
export type ChangeOutcome =
  | { readonly outcome: "applied"; readonly record: SessionRecord }
  | { readonly outcome: "void"; readonly record: SessionRecord | null };

/** What the driver needs. */
export interface CasDriverPorts {
  readonly self: NodeRef;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  /** A number that no other request of this incarnation carries. */
  nextRequest(): number;
}

/** What the driver tells. */
export interface CasDriverEvents {
  /** Others wrote this, and the driver is the first to learn; told before the change is decided that met it. */
  heard(record: SessionRecord): void;
  /** The last change that was submitted has come to its end. */
  idle(): void;
}

interface Pending {
  readonly change: RecordChange;
  readonly done: (outcome: ChangeOutcome) => void;
}

/**
 * Carries out changes of one session's record, one after another, each to a decided end. An answer that was lost leaves the
 * change undecided [3]: the same write (same expected revision, same writer) is sent again until it is seen to be applied, or a
 * later revision stands, after which it can never land. While `undecided` the caller stays as careful as if it had happened.
 */
export class CasDriver {
  readonly #ports: CasDriverPorts;
  readonly #key: SessionKey;
  readonly #events: CasDriverEvents;
  readonly #queue: Pending[] = [];
  #record: SessionRecord | null;
  #known: boolean;
  #busy = false;
  #disposed = false;
  readonly #backoff: Backoff;

  /** @param record the newest record known, or undefined when none has been read */
  constructor(ports: CasDriverPorts, key: SessionKey, record: SessionRecord | null | undefined, events: CasDriverEvents) {
    this.#ports = ports;
    this.#key = key;
    this.#events = events;
    this.#backoff = new Backoff(ports.clock, ports.random, ports.limits.directoryRetryMs);
    this.#record = record ?? null;
    this.#known = record !== undefined;
  }

  /** The newest record known. */
  get record(): SessionRecord | null {
    return this.#record;
  }

  /** True while a change may or may not have been carried out, or waits for its turn. */
  get pending(): boolean {
    return this.#busy;
  }

  /** A record seen elsewhere (watch, read). Older ones are ignored; returns whether it was news. */
  learn(record: SessionRecord | null): boolean {
    if (this.#known && (record?.revision ?? 0) <= (this.#record?.revision ?? 0)) return false;
    this.#record = record;
    this.#known = true;
    return true;
  }

  submit(change: RecordChange, done: (outcome: ChangeOutcome) => void): void {
    if (this.#disposed) return;
    this.#queue.push({ change, done });
    if (!this.#busy) this.#next();
  }

  /** Nothing is answered any more. What is under way may still be carried out by the directory. */
  dispose(): void {
    this.#disposed = true;
    this.#queue.length = 0;
    this.#backoff.cancel();
  }

  #next(): void {
    const pending = this.#queue[0];
    if (pending === undefined || this.#disposed) {
      this.#busy = false;
      if (!this.#disposed) this.#events.idle();
      return;
    }
    this.#busy = true;
    if (this.#known) this.#attempt(pending, false);
    else this.#read(pending);
  }

  #finish(outcome: ChangeOutcome): void {
    const pending = this.#queue.shift();
    // Marked idle while the callback runs, so that what it submits is not started twice.
    this.#busy = true;
    pending?.done(outcome);
    this.#next();
  }

  /** @param fresh whether the record was obtained for this change; only then may it be found void */
  #attempt(pending: Pending, fresh: boolean): void {
    const change = pending.change(this.#record);
    if (change === null) {
      if (fresh) this.#finish({ outcome: "void", record: this.#record });
      else this.#read(pending);
      return;
    }
    const { epoch, owner, inSync, heir, ended, strategy, stored } = change;
    const writer = `${this.#ports.self}/${this.#ports.nextRequest()}`;
    this.#write(pending, this.#record?.revision ?? 0, { epoch, owner, inSync, heir, ended, strategy, stored, writer });
  }

  #write(pending: Pending, expected: number, draft: RecordDraft): void {
    this.#ports.directory.compareAndSet(this.#key, expected, draft).then(
      (outcome) => {
        if (this.#disposed) return;
        this.#backoff.succeeded();
        this.#answered(pending, draft, outcome);
      },
      (error: unknown) => {
        if (this.#disposed) return;
        if (errorCodeOf(error) === "E_LEASE_ENDED") return; // the node will notice and drop everything
        this.#backoff.failed(() => this.#write(pending, expected, draft));
      },
    );
  }

  #answered(pending: Pending, draft: RecordDraft, outcome: CasOutcome): void {
    if (outcome.outcome === "applied") {
      const record = { ...draft, revision: outcome.revision };
      this.learn(record);
      this.#finish({ outcome: "applied", record });
      return;
    }
    if (outcome.current?.writer === draft.writer) {
      this.learn(outcome.current);
      this.#finish({ outcome: "applied", record: outcome.current });
      return;
    }
    this.#hear(outcome.current);
    // Refused for good, also an earlier sending of it: its revision is used up. If that one was applied and others wrote on
    // top of it since, the change is judged anew from what stands now.
    this.#attempt(pending, true);
  }

  /** The watch will tell nothing of a record that is known already: whoever acts by it must hear of it here. */
  #hear(record: SessionRecord | null): void {
    if (this.learn(record) && record !== null) this.#events.heard(record);
  }

  #read(pending: Pending): void {
    this.#ports.directory.read(this.#key).then(
      (record) => {
        if (this.#disposed) return;
        this.#backoff.succeeded();
        this.#hear(record);
        this.#attempt(pending, true);
      },
      () => {
        if (!this.#disposed) this.#backoff.failed(() => this.#read(pending));
      },
    );
  }
}
