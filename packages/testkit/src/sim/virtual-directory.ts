import {
  type CasOutcome,
  type Clock,
  type Directory,
  type InMemoryDirectory,
  type NodeEntry,
  type NodeInfo,
  type NodeRef,
  type RecordDraft,
  type SessionKey,
  type SessionRecord,
  SojournError,
} from "@sojourn/core";
import type { SeededRandom } from "./seeded-random.js";

/** What may go wrong between a node and its directory. */
export interface DirectoryFaults {
  delayMs: number;
  /** The request is carried out, but its answer is lost. */
  lostAnswers: number;
  /** The request is carried out long after its sender gave up. */
  lateWrites: number;
  /** Nothing is answered or carried out. */
  down: boolean;
}

/** Looks at one write before it is sent and may decide what happens to it, before chance does. */
export type WriteInterceptor = (key: SessionKey, draft: RecordDraft) => WriteVerdict | undefined;

/** `lost`: never carried out. `unanswered`: carried out after `extraMs`, and the answer is lost at once; `done` runs when it has been carried out. */
export type WriteVerdict =
  | { readonly fate: "lost" }
  | { readonly fate: "unanswered"; readonly extraMs: number; readonly done?: () => void }
  | { readonly fate: "slow"; readonly extraMs: number };

/** A node's directory client with a network in between that can be slow, lossy or cut. */
export class VirtualDirectory implements Directory {
  readonly #inner: Directory;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  intercept: WriteInterceptor | null = null;
  readonly faults: DirectoryFaults = { delayMs: 1, lostAnswers: 0, lateWrites: 0, down: false };

  constructor(directory: InMemoryDirectory, clock: Clock, random: SeededRandom) {
    this.#inner = directory.open();
    this.#clock = clock;
    this.#random = random;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }

  async #ask<T>(write: boolean, request: () => Promise<T>): Promise<T> {
    const { delayMs, lostAnswers, lateWrites, down } = this.faults;
    const oneWayMs = delayMs * (0.5 + this.#random.next());
    if (down) {
      await this.#pause(delayMs * 4 + 50);
      throw new SojournError(write ? "E_DIRECTORY_UNKNOWN_OUTCOME" : "E_DIRECTORY_UNAVAILABLE");
    }
    if (write && this.#random.chance(lateWrites)) {
      this.#clock.schedule(100 + this.#random.next() * 400, () => void request().catch(() => undefined));
      await this.#pause(delayMs * 4 + 20);
      throw new SojournError("E_DIRECTORY_UNKNOWN_OUTCOME");
    }
    await this.#pause(oneWayMs);
    const answer = await request();
    await this.#pause(oneWayMs);
    if (this.#random.chance(lostAnswers)) throw new SojournError(write ? "E_DIRECTORY_UNKNOWN_OUTCOME" : "E_DIRECTORY_UNAVAILABLE");
    return answer;
  }

  async #judged(verdict: WriteVerdict, write: () => Promise<CasOutcome>): Promise<CasOutcome> {
    if (verdict.fate === "slow") {
      await this.#pause(verdict.extraMs);
      const outcome = await write();
      await this.#pause(this.faults.delayMs);
      return outcome;
    }
    if (verdict.fate === "unanswered") {
      this.#clock.schedule(verdict.extraMs, () => void write().then(verdict.done, () => undefined));
    }
    await this.#pause(this.faults.delayMs * 4 + 20);
    throw new SojournError("E_DIRECTORY_UNKNOWN_OUTCOME");
  }

  register(info: NodeInfo, ttlMs: number): Promise<NodeRef> {
    return this.#inner.register(info, ttlMs);
  }
  renew(ref: NodeRef): Promise<"renewed" | "ended"> {
    return this.#ask(true, () => this.#inner.renew(ref));
  }
  update(ref: NodeRef, info: NodeInfo): Promise<void> {
    return this.#inner.update(ref, info);
  }
  resign(ref: NodeRef): Promise<void> {
    return this.#inner.resign(ref);
  }
  read(key: SessionKey): Promise<SessionRecord | null> {
    return this.#ask(false, () => this.#inner.read(key));
  }
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome> {
    const write = () => this.#inner.compareAndSet(key, expectedRevision, draft);
    const verdict = this.intercept?.(key, draft);
    return verdict === undefined ? this.#ask(true, write) : this.#judged(verdict, write);
  }
  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>> {
    return this.#ask(false, () => this.#inner.listRecords(ref));
  }
  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void {
    let stopped = false;
    const stop = this.#inner.watchRecords(ref, (key, record) => {
      this.#clock.schedule(this.faults.delayMs * (0.5 + this.#random.next()), () => {
        if (!stopped) listener(key, record);
      });
    });
    return () => {
      stopped = true;
      stop();
    };
  }
  watchNodes(listener: (entry: NodeEntry) => void): () => void {
    let stopped = false;
    const stop = this.#inner.watchNodes((entry) => {
      this.#clock.schedule(this.faults.delayMs * 0.5, () => {
        if (!stopped) listener(entry);
      });
    });
    return () => {
      stopped = true;
      stop();
    };
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}
