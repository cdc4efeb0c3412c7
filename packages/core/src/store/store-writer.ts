import { SojournError } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import type { SessionKey } from "../names.js";
import type { Clock } from "../ports/clock.js";
import type { AppendOutcome, BaseWrite, LogEntry, SessionStore, StoredReplica } from "../ports/session-store.js";
import { appendFailed } from "./log-record.js";

interface Waiting {
  readonly entry: LogEntry;
  readonly done: (outcome: AppendOutcome) => void;
}

/**
 * A node's way to its session store. Log records of all its sessions share writes: one is under way at a time, what comes meanwhile goes
 * with the next. Every request ends: one that is not answered in time rejects with `E_STORE_UNAVAILABLE`, and may have been carried out.
 */
export class StoreWriter {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #limits: Limits;
  #waiting: Waiting[] = [];
  #appending = false;
  #stopped = false;

  constructor(store: SessionStore, clock: Clock, limits: Limits) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Appends one session's record. Nothing else of the session is under way; `done` is called later, once. */
  append(entry: LogEntry, done: (outcome: AppendOutcome) => void): void {
    this.#waiting.push({ entry, done });
    if (!this.#appending) this.#flush();
  }

  #flush(): void {
    if (this.#stopped || this.#waiting.length === 0) return;
    const group = this.#takeGroup();
    this.#appending = true;
    this.#inTime(this.#store.append(group.map(({ entry }) => entry)), this.#limits.storeTimeoutMs).then(
      (outcomes) =>
        this.#settle(group, (i) => outcomes[i] ?? appendFailed(new SojournError("E_INTERNAL", "the store left out an outcome"))),
      (error: unknown) => this.#settle(group, () => appendFailed(error)),
    );
  }

  /** As many as one write may take; the first always goes. */
  #takeGroup(): Waiting[] {
    const { maxStoreAppendEntries, maxStoreRecordBytes } = this.#limits;
    let bytes = 0;
    let count = 0;
    for (const { entry } of this.#waiting) {
      for (const delta of entry.record.deltas) bytes += delta.length;
      if (count > 0 && (count >= maxStoreAppendEntries || bytes > maxStoreRecordBytes)) break;
      count++;
    }
    const group = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return group;
  }

  #settle(group: readonly Waiting[], outcomeOf: (i: number) => AppendOutcome): void {
    if (this.#stopped) return;
    // What the outcomes cause to be appended shares the next write.
    for (const [i, { done }] of group.entries()) done(outcomeOf(i));
    this.#appending = false;
    this.#flush();
  }

  fence(session: SessionKey, epoch: number): ReturnType<SessionStore["fence"]> {
    return this.#inTime(this.#store.fence(session, epoch), this.#limits.storeTimeoutMs);
  }

  putBase(session: SessionKey, base: BaseWrite): ReturnType<SessionStore["putBase"]> {
    return this.#inTime(this.#store.putBase(session, base), this.#limits.copyTimeoutMs);
  }

  read(session: SessionKey): Promise<StoredReplica | null> {
    return this.#inTime(this.#store.read(session), this.#limits.copyTimeoutMs);
  }

  remove(session: SessionKey, epoch: number): ReturnType<SessionStore["remove"]> {
    return this.#inTime(this.#store.remove(session, epoch), this.#limits.storeTimeoutMs);
  }

  forget(session: SessionKey): ReturnType<SessionStore["forget"]> {
    return this.#inTime(this.#store.forget(session), this.#limits.storeTimeoutMs);
  }

  /** The retention rule: the newest good bases stay, with the log from the oldest of them on. */
  prune(session: SessionKey): ReturnType<SessionStore["prune"]> {
    return this.#inTime(this.#store.prune(session, this.#limits.retainedBases), this.#limits.copyTimeoutMs);
  }

  list(query: Parameters<SessionStore["list"]>[0]): ReturnType<SessionStore["list"]> {
    return this.#inTime(this.#store.list(query), this.#limits.storeTimeoutMs);
  }

  /** Nothing that waits is written or answered any more. What is under way may still be carried out. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  #inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = this.#clock.schedule(ms, () => reject(new SojournError("E_STORE_UNAVAILABLE", `no answer within ${ms} ms`)));
      answer.then(
        (value) => {
          late.cancel();
          resolve(value);
        },
        (error: unknown) => {
          late.cancel();
          reject(error);
        },
      );
    });
  }
}
