import {
  type CasOutcome,
  type Clock,
  type Directory,
  type Limits,
  type NodeEntry,
  type NodeInfo,
  type NodeRef,
  type RecordDraft,
  type SessionKey,
  type SessionRecord,
  SojournError,
} from "@sojourn/core";
import { NodeWatch, RecordWatch, type Watch } from "@sojourn/node";
import type { DirectoryService } from "./directory-service.js";
import type { NodeClock } from "./node-clock.js";
import type { SeededRandom } from "./seeded-random.js";

/** What may go wrong between a node and its directory. */
export interface DirectoryFaults {
  delayMs: number;
  /** The request is carried out, but its answer is lost. */
  lostAnswers: number;
  /** A write of a record is carried out long after its sender gave up. */
  lateWrites: number;
  /** Nothing new is carried out, and no change is told. */
  down: boolean;
}

/** Looks at one write before it is sent and may decide what happens to it, before chance does. */
export type WriteInterceptor = (key: SessionKey, draft: RecordDraft) => WriteVerdict | undefined;

/** `lost`: never carried out. `unanswered`: carried out after `extraMs`, and the answer is lost at once; `done` runs when it has been carried out. */
export type WriteVerdict =
  | { readonly fate: "lost" }
  | { readonly fate: "unanswered"; readonly extraMs: number; readonly done?: () => void }
  | { readonly fate: "slow"; readonly extraMs: number };

/** Sees what goes wrong between a node and the directory. */
export interface AskObserver {
  fault(kind: "lostAnswer" | "lateWrite" | "unreachable", write: boolean): void;
  /** An answer to a read or a renewal arrives. */
  answered(kind: "read" | "renew", key: string, answer: unknown, tookMs: number): void;
}

interface OpenWatch {
  readonly watch: Watch;
  readonly start: (directory: Directory, watch: Watch) => () => void;
  stop: () => void;
}

/** A node's directory client, with a network in between that can be slow, lossy or cut. Watches are those of the production client. */
export class VirtualDirectory implements Directory {
  readonly #service: DirectoryService;
  /** Time outside; what is under way does not wait for a paused node. */
  readonly #clock: Clock;
  readonly #node: NodeClock;
  readonly #limits: Limits;
  readonly #random: SeededRandom;
  readonly #watches = new Set<OpenWatch>();
  readonly #unlisten: () => void;
  #closed = false;
  #registrations = 0;
  #down = false;
  /** The order of what is told over the connection. */
  #lastToldAt = 0;
  #connection = 1;
  intercept: WriteInterceptor | null = null;
  observer: AskObserver | null = null;
  readonly faults: DirectoryFaults;

  constructor(service: DirectoryService, clock: Clock, node: NodeClock, limits: Limits, random: SeededRandom) {
    this.#service = service;
    this.#clock = clock;
    this.#node = node;
    this.#limits = limits;
    this.#random = random;
    const self = this;
    this.faults = {
      delayMs: 1,
      lostAnswers: 0,
      lateWrites: 0,
      get down() {
        return self.#down;
      },
      set down(down) {
        if (down === self.#down) return;
        self.#down = down;
        if (down) self.#interrupt();
        else self.#reconnect();
      },
    };
    this.#unlisten = service.onUp(() => {
      this.#interrupt();
      this.#reconnect();
    });
  }

  /**
   * A registration ends the life before it at once, whoever asked: it is right that a process which starts again is heard at once. So it may
   * not come behind a later one, nor after its process has died; it goes over the process's one connection, which keeps the order.
   */
  register(info: NodeInfo, ttlMs: number): Promise<NodeRef> {
    this.#registrations++;
    const registration = this.#registrations;
    return this.#ask(true, (directory) =>
      this.#closed || registration !== this.#registrations ? new Promise(() => undefined) : directory.register(info, ttlMs),
    );
  }
  async renew(ref: NodeRef): Promise<"renewed" | "ended"> {
    const sentAt = this.#clock.now();
    const answer = await this.#ask(true, (directory) => directory.renew(ref));
    this.observer?.answered("renew", ref, answer, this.#clock.now() - sentAt);
    return answer;
  }
  update(ref: NodeRef, info: NodeInfo): Promise<void> {
    return this.#ask(true, (directory) => directory.update(ref, info));
  }
  resign(ref: NodeRef): Promise<void> {
    return this.#ask(true, (directory) => directory.resign(ref));
  }
  async read(key: SessionKey): Promise<SessionRecord | null> {
    const sentAt = this.#clock.now();
    const answer = await this.#ask(false, (directory) => directory.read(key));
    this.observer?.answered("read", key, answer, this.#clock.now() - sentAt);
    return answer;
  }
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome> {
    const write = () => this.#service.compareAndSet(key, expectedRevision, draft);
    const verdict = this.intercept?.(key, draft);
    return verdict === undefined ? this.#ask(true, write, this.faults.lateWrites) : this.#judged(verdict, write);
  }
  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>> {
    return this.#ask(false, (directory) => directory.listRecords(ref));
  }
  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void {
    // As long as it takes, as the real client does.
    const catchUp = (key: SessionKey): void => {
      if (this.#closed) return;
      this.#ask(false, (directory) => directory.read(key)).then(
        (record) => {
          if (record !== null) watch.onRecord(key, record);
        },
        () => void this.#node.schedule(this.#limits.directoryTimeoutMs, () => catchUp(key)),
      );
    };
    const watch = new RecordWatch(ref, listener, catchUp);
    return this.#watch(watch, (directory, open) =>
      directory.watchRecords(ref, (key, record) => this.#tell(() => open.onRecord(key, record))),
    );
  }
  watchNodes(listener: (entry: NodeEntry) => void): () => void {
    return this.#watch(new NodeWatch(listener), (directory, open) => directory.watchNodes((entry) => this.#tell(() => open.onNode(entry))));
  }
  async close(): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    for (const open of this.#watches) open.stop();
    this.#watches.clear();
  }

  /**
   * One request. Lost ones and lost answers are noticed by the passing of time; where nobody answers at all that is told at once, as by a
   * refused connection.
   */
  #ask<T>(write: boolean, request: (directory: Directory) => Promise<T>, lateWrites = 0): Promise<T> {
    return new Promise((resolve, reject) => {
      const { delayMs, down } = this.faults;
      const oneWayMs = delayMs * (0.5 + this.#random.next());
      const unanswered = () => reject(new SojournError(write ? "E_DIRECTORY_UNKNOWN_OUTCOME" : "E_DIRECTORY_UNAVAILABLE"));
      if (down || !this.#service.up) {
        this.observer?.fault("unreachable", write);
        this.#after(delayMs * 4 + 50, unanswered);
        return;
      }
      const late = this.#random.chance(lateWrites);
      let open = true;
      const give = this.#node.schedule(late ? oneWayMs * 2 + 20 : this.#limits.directoryTimeoutMs, () => {
        open = false;
        unanswered();
      });
      const travelMs = late ? 100 + this.#random.next() * 2 * this.#limits.directoryTimeoutMs : oneWayMs;
      if (late) this.observer?.fault("lateWrite", write);
      this.#clock.schedule(travelMs, () => {
        if (!this.#service.up) return;
        const answer = (settle: () => void) => {
          const back = this.faults;
          if (this.#random.chance(back.lostAnswers)) {
            this.observer?.fault("lostAnswer", write);
            return;
          }
          this.#after(back.delayMs * (0.5 + this.#random.next()), () => {
            if (!open) return;
            open = false;
            give.cancel();
            settle();
          });
        };
        request(this.#service.handle).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  /** Something comes back to the node: later, and not before it wakes. */
  #after(ms: number, task: () => void): void {
    this.#clock.schedule(ms, () => this.#node.arrive(task));
  }

  #judged(verdict: WriteVerdict, write: () => Promise<CasOutcome>): Promise<CasOutcome> {
    return new Promise((resolve, reject) => {
      if (verdict.fate === "slow") {
        this.#clock.schedule(verdict.extraMs, () => {
          write().then(
            (outcome) => this.#after(this.faults.delayMs, () => resolve(outcome)),
            (error: unknown) => this.#after(this.faults.delayMs, () => reject(error)),
          );
        });
        return;
      }
      if (verdict.fate === "unanswered") {
        this.#clock.schedule(verdict.extraMs, () => void write().then(verdict.done, () => undefined));
      }
      this.#after(this.faults.delayMs * 4 + 20, () => reject(new SojournError("E_DIRECTORY_UNKNOWN_OUTCOME")));
    });
  }

  // ---- watches ----

  #watch(watch: Watch, start: OpenWatch["start"]): () => void {
    const open: OpenWatch = { watch, start, stop: () => undefined };
    this.#watches.add(open);
    if (!this.#down && this.#service.up) this.#start(open);
    return () => {
      this.#watches.delete(open);
      open.stop();
    };
  }

  #start(open: OpenWatch): void {
    const { handle } = this.#service;
    open.watch.request(0);
    open.stop();
    let stop = (): void => undefined;
    let stopped = false;
    open.stop = () => {
      stopped = true;
      stop();
    };
    this.#clock.schedule(this.faults.delayMs * 0.5, () => {
      if (stopped) return;
      stop = open.start(handle, open.watch);
      // The replay comes in microtasks, before any time passes.
      this.#clock.schedule(0, () => this.#tell(() => open.watch.onReplayed()));
    });
  }

  /** An event travels to the node behind the ones before it, unless the connection is lost meanwhile. */
  #tell(event: () => void): void {
    if (this.#down || this.#closed) return;
    const connection = this.#connection;
    const now = this.#clock.now();
    this.#lastToldAt = Math.max(this.#lastToldAt, now + this.faults.delayMs * (0.5 + this.#random.next()));
    this.#clock.schedule(this.#lastToldAt - now, () => {
      if (connection === this.#connection) this.#node.arrive(event);
    });
  }

  #interrupt(): void {
    this.#connection++;
    this.#lastToldAt = 0;
    for (const open of this.#watches) open.stop();
  }

  #reconnect(): void {
    if (this.#closed || this.#down || !this.#service.up) return;
    for (const open of this.#watches) this.#start(open);
  }
}
