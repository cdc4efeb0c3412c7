import { SojournError } from "../errors/sojourn-error.js";
import type { NodeRef, SessionKey } from "../names.js";
import type { CasOutcome, Directory, NodeEntry, NodeInfo, RecordDraft, SessionRecord } from "../ports/directory.js";
import type { Answer, DirectoryEngine } from "./directory-engine.js";

/**
 * The directory port over an engine in the same process. Answers and events come in a microtask, never inside the call.
 * Closing a handle stops its watches and refuses further calls; the engine goes on for others.
 */
export class LocalDirectory implements Directory {
  readonly #engine: DirectoryEngine;
  readonly #stops = new Set<() => void>();
  #closed = false;

  constructor(engine: DirectoryEngine) {
    this.#engine = engine;
  }

  register(info: NodeInfo, ttlMs: number): Promise<NodeRef> {
    return this.#ask((answer) => this.#engine.register(info, ttlMs, answer));
  }

  renew(ref: NodeRef): Promise<"renewed" | "ended"> {
    return this.#ask((answer) => this.#engine.renew(ref, answer));
  }

  async update(ref: NodeRef, info: NodeInfo): Promise<void> {
    await this.#ask<null>((answer) => this.#engine.update(ref, info, answer));
  }

  async resign(ref: NodeRef): Promise<void> {
    await this.#ask<null>((answer) => this.#engine.resign(ref, answer));
  }

  read(key: SessionKey): Promise<SessionRecord | null> {
    return this.#ask((answer) => this.#engine.read(key, answer));
  }

  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome> {
    return this.#ask((answer) => this.#engine.compareAndSet(key, expectedRevision, draft, answer));
  }

  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>> {
    return this.#ask((answer) => this.#engine.listRecords(ref, answer));
  }

  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void {
    return this.#watch((later) => this.#engine.watchRecords(ref, (key, record) => later(() => listener(key, record))));
  }

  watchNodes(listener: (entry: NodeEntry) => void): () => void {
    return this.#watch((later) => this.#engine.watchNodes((entry) => later(() => listener(entry))));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) stop();
  }

  #ask<T>(request: (answer: Answer<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory handle is closed"));
      else request((result) => (result instanceof SojournError ? reject(result) : resolve(result)));
    });
  }

  /** Starts a watch whose events run in microtasks, in order, and not after it was stopped. */
  #watch(start: (later: (tell: () => void) => void) => () => void): () => void {
    if (this.#closed) return () => {};
    let watching = true;
    const stopEngine = start((tell) => {
      void Promise.resolve().then(() => {
        if (watching) tell();
      });
    });
    const stop = (): void => {
      watching = false;
      this.#stops.delete(stop);
      stopEngine();
    };
    this.#stops.add(stop);
    return stop;
  }
}
