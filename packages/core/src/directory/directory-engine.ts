import { errorCodeOf, SojournError } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import type { NodeRef, SessionKey } from "../names.js";
import type { Clock, Scheduled } from "../ports/clock.js";
import type { CasOutcome, NodeEntry, NodeInfo, RecordDraft, SessionRecord } from "../ports/directory.js";
import type { DirectoryChange, DirectoryContents, DirectoryStore } from "../ports/directory-store.js";
import { type Applied, DirectoryState, entryOf } from "./directory-state.js";
import { refsOf } from "./session-records.js";

/** How a request is answered: once, and perhaps before the call that made it returns. */
export type Answer<T> = (result: T | SojournError) => void;

/** Told of a changed record. Must not throw. */
export type RecordListener = (key: SessionKey, record: SessionRecord) => void;

/** Told of a node. Must not throw. */
export type NodeListener = (entry: NodeEntry) => void;

/** What the engine runs on. Without a store everything is durable at once and gone with the process. */
export interface DirectoryEngineOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly store?: DirectoryStore;
  /** The store failed: the engine has stopped and answers nothing but `E_DIRECTORY_UNAVAILABLE`. */
  readonly onFailure?: (error: SojournError) => void;
}

/** Something that waits until change number `seq` is durable, or until the engine fails. */
interface Waiting {
  readonly seq: number;
  readonly deliver: () => void;
  readonly fail: (cause: SojournError) => void;
}

const EMPTY: DirectoryContents = { records: [], nodes: [] };
const drop = (): void => {};

/**
 * Drives a DirectoryState: the clock ends leases, the store makes changes durable, and nothing that shows a change (an
 * answer, a conflict, a read, a watch event) leaves before that change is durable. Changes are numbered in the order they
 * were made; the ones that come while an append is under way go together into the next append.
 */
export class DirectoryEngine {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #store: DirectoryStore | undefined;
  readonly #onFailure: (error: SojournError) => void;
  readonly #state: DirectoryState;
  readonly #recordListeners = new Map<NodeRef, Set<RecordListener>>();
  readonly #nodeListeners = new Set<NodeListener>();
  #made = 0;
  #durable = 0;
  #batch: DirectoryChange[] = [];
  #waiting: Waiting[] = [];
  /** The number of the latest change of each record that is not durable yet. */
  readonly #unsettled = new Map<SessionKey, number>();
  #appending: Promise<void> | null = null;
  #check: { readonly dueAt: number; readonly task: Scheduled } | null = null;
  #stopped: SojournError | null = null;

  private constructor(options: DirectoryEngineOptions, kept: DirectoryContents) {
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#store = options.store;
    this.#onFailure = options.onFailure ?? drop;
    this.#state = new DirectoryState(kept, options.clock.now());
    this.#armCheck();
  }

  /** Loads what the store keeps. @throws SojournError `E_DISK` */
  static async open(options: DirectoryEngineOptions & { readonly store: DirectoryStore }): Promise<DirectoryEngine> {
    return new DirectoryEngine(options, await options.store.load());
  }

  /** A directory that keeps nothing. */
  static inMemory(options: Omit<DirectoryEngineOptions, "store" | "onFailure">): DirectoryEngine {
    return new DirectoryEngine(options, EMPTY);
  }

  register(info: NodeInfo, ttlMs: number, answer: Answer<NodeRef>): void {
    this.#write(answer, () => this.#state.register(info, ttlMs, this.#clock.now()));
    this.#armCheck();
  }

  renew(ref: NodeRef, answer: Answer<"renewed" | "ended">): void {
    if (this.#stopped !== null) {
      answer(this.#stopped);
      return;
    }
    const result = this.#state.renew(ref, this.#clock.now());
    // A renewal shows no change: the registration it rests on was answered, so it is durable.
    if (result === "renewed") answer(result);
    else this.#answerRead(this.#made, answer, result);
  }

  update(ref: NodeRef, info: NodeInfo, answer: Answer<null>): void {
    this.#write(answer, () => this.#state.update(ref, info));
  }

  resign(ref: NodeRef, answer: Answer<null>): void {
    this.#write(answer, () => this.#state.resign(ref));
  }

  read(key: SessionKey, answer: Answer<SessionRecord | null>): void {
    if (this.#stopped !== null) {
      answer(this.#stopped);
      return;
    }
    this.#answerRead(this.#unsettled.get(key) ?? 0, answer, this.#state.read(key));
  }

  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft, answer: Answer<CasOutcome>): void {
    this.#write(answer, () => this.#state.compareAndSet(key, expectedRevision, draft), key);
  }

  listRecords(ref: NodeRef, answer: Answer<ReadonlyMap<SessionKey, SessionRecord>>): void {
    if (this.#stopped !== null) {
      answer(this.#stopped);
      return;
    }
    this.#answerRead(this.#made, answer, this.#state.listRecords(ref));
  }

  /**
   * Replays every record that names `ref`, then says `replayed`, then tells every change that concerns `ref`; all of it once
   * durable. Returns the way to stop; nothing is told after it.
   */
  watchRecords(ref: NodeRef, listener: RecordListener, replayed: () => void = drop): () => void {
    let watching = true;
    const tell: RecordListener = (key, record) => {
      if (watching) listener(key, record);
    };
    const listeners = this.#recordListeners.get(ref);
    if (listeners === undefined) this.#recordListeners.set(ref, new Set([tell]));
    else listeners.add(tell);
    const records = this.#state.listRecords(ref);
    this.#whenDurable(this.#made, () => {
      for (const [key, record] of records) tell(key, record);
      if (watching) replayed();
    });
    return () => {
      watching = false;
      const left = this.#recordListeners.get(ref);
      if (left?.delete(tell) && left.size === 0) this.#recordListeners.delete(ref);
    };
  }

  /** Replays every known node, then says `replayed`, then tells every change. Returns the way to stop. */
  watchNodes(listener: NodeListener, replayed: () => void = drop): () => void {
    let watching = true;
    const tell: NodeListener = (entry) => {
      if (watching) listener(entry);
    };
    this.#nodeListeners.add(tell);
    const entries = this.#state.listNodes();
    this.#whenDurable(this.#made, () => {
      for (const entry of entries) tell(entry);
      if (watching) replayed();
    });
    return () => {
      watching = false;
      this.#nodeListeners.delete(tell);
    };
  }

  /** Stops taking requests, makes durable what was taken, and closes the store. */
  async close(): Promise<void> {
    this.#stop(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory is closed"));
    await this.#appending;
    await this.#store?.close();
  }

  /** Stops as a crash would: what is not durable yet is given up and nobody is answered. The store is only closed. */
  async abort(): Promise<void> {
    this.#stop(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory was aborted"));
    this.#batch = [];
    this.#waiting = [];
    await this.#appending;
    await this.#store?.close();
  }

  #write<T>(answer: Answer<T>, operation: () => Applied<T>, key?: SessionKey): void {
    if (this.#stopped !== null) {
      answer(this.#stopped);
      return;
    }
    let applied: Applied<T>;
    try {
      applied = operation();
    } catch (thrown) {
      answer(asSojournError(thrown));
      return;
    }
    const { result, changes } = applied;
    if (changes.length === 0) {
      // Nothing was carried out, but the answer may show a change of somebody else (a conflict does).
      this.#answerRead(key === undefined ? this.#made : (this.#unsettled.get(key) ?? 0), answer, result);
      return;
    }
    this.#take(changes);
    this.#wait({
      seq: this.#made,
      deliver: () => answer(result),
      fail: (cause) => answer(new SojournError("E_DIRECTORY_UNKNOWN_OUTCOME", "the directory's store failed", {}, cause)),
    });
  }

  /** Queues changes for the store, and behind it the events that tell them. */
  #take(changes: readonly DirectoryChange[]): void {
    for (const change of changes) {
      this.#made++;
      if (this.#store === undefined) this.#durable = this.#made;
      else this.#batch.push(change);
      if (change.type === "record") this.#takeRecord(change.key, change.record, change.previous);
      else if (this.#nodeListeners.size > 0) {
        const entry = entryOf(change.lease);
        const listeners = [...this.#nodeListeners];
        this.#whenDurable(this.#made, () => {
          for (const listener of listeners) listener(entry);
        });
      }
    }
    if (this.#store !== undefined) this.#appending ??= this.#append(this.#store);
  }

  #takeRecord(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void {
    if (this.#store !== undefined) this.#unsettled.set(key, this.#made);
    if (this.#recordListeners.size === 0) return;
    const refs = refsOf(record);
    this.#tellRecord(refs, key, record);
    if (previous !== null) {
      const gone = refsOf(previous).filter((ref) => !refs.includes(ref));
      this.#tellRecord(gone, key, record);
    }
  }

  #tellRecord(refs: readonly NodeRef[], key: SessionKey, record: SessionRecord): void {
    for (const ref of refs) {
      const listeners = this.#recordListeners.get(ref);
      if (listeners === undefined) continue;
      const told = [...listeners];
      this.#whenDurable(this.#made, () => {
        for (const listener of told) listener(key, record);
      });
    }
  }

  /** Appends until nothing is left. Starts at the end of the present tick, so that all of the tick's changes share a flush. */
  async #append(store: DirectoryStore): Promise<void> {
    await Promise.resolve();
    while (this.#batch.length > 0) {
      const batch = this.#batch;
      const upTo = this.#made;
      this.#batch = [];
      try {
        await store.append(batch);
      } catch (thrown) {
        this.#appending = null;
        this.#failStore(thrown);
        return;
      }
      this.#settle(batch, upTo);
    }
    this.#appending = null;
  }

  #settle(batch: readonly DirectoryChange[], upTo: number): void {
    this.#durable = upTo;
    for (const change of batch) {
      if (change.type === "record" && (this.#unsettled.get(change.key) ?? 0) <= upTo) this.#unsettled.delete(change.key);
    }
    const waiting = this.#waiting;
    let ready = 0;
    while (ready < waiting.length && (waiting[ready] as Waiting).seq <= upTo) ready++;
    // What is told may ask again at once: it must find the queue without what is being told.
    this.#waiting = waiting.slice(ready);
    for (let i = 0; i < ready; i++) (waiting[i] as Waiting).deliver();
  }

  /** The state is ahead of the disk and nobody may see it: the engine ends here, and opening it again shows what is true. */
  #failStore(thrown: unknown): void {
    const failure = errorCodeOf(thrown) === "E_DISK" ? (thrown as SojournError) : new SojournError("E_DISK", undefined, {}, thrown);
    this.#stop(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory's store failed", {}, failure));
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#batch = [];
    for (const one of waiting) one.fail(failure);
    this.#onFailure(failure);
  }

  #stop(reason: SojournError): void {
    this.#stopped ??= reason;
    this.#check?.task.cancel();
    this.#check = null;
    this.#recordListeners.clear();
    this.#nodeListeners.clear();
  }

  #answerRead<T>(seq: number, answer: Answer<T>, result: T): void {
    this.#wait({
      seq,
      deliver: () => answer(result),
      fail: (cause) => answer(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory's store failed", {}, cause)),
    });
  }

  #whenDurable(seq: number, deliver: () => void): void {
    this.#wait({ seq, deliver, fail: drop });
  }

  #wait(waiting: Waiting): void {
    if (waiting.seq <= this.#durable) waiting.deliver();
    else this.#waiting.push(waiting);
  }

  #armCheck(): void {
    const dueAt = this.#stopped === null ? this.#state.nextExpiry() : undefined;
    if (dueAt === undefined || (this.#check !== null && this.#check.dueAt <= dueAt)) return;
    this.#check?.task.cancel();
    const task = this.#clock.schedule(Math.max(0, dueAt - this.#clock.now()), () => this.#endLeases(dueAt));
    this.#check = { dueAt, task };
  }

  #endLeases(dueAt: number): void {
    this.#check = null;
    const now = this.#clock.now();
    // A directory that stood still (SIGSTOP, a long collection) heard no renewals. That time does not count against the nodes,
    // and what they sent meanwhile must be heard first.
    const lateMs = now - dueAt;
    const stallMs = this.#limits.directoryStallMs;
    if (lateMs > stallMs) this.#state.postponeExpiry(lateMs + stallMs);
    this.#take(this.#state.expire(now));
    this.#armCheck();
  }
}

function asSojournError(thrown: unknown): SojournError {
  return thrown instanceof SojournError ? thrown : new SojournError("E_INTERNAL", undefined, {}, thrown);
}
