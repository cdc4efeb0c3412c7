import { errorCodeOf } from "../errors/sojourn-error.js";
import type { Scheduled } from "../ports/clock.js";
import type { AppendOutcome, LogRecord, Position } from "../ports/session-store.js";
import { RecordTables } from "../store/record-tables.js";
import type { StoreWriter } from "../store/store-writer.js";
import { Backoff } from "./backoff.js";
import { countFitting, isOnChain, type ReplicaSource } from "./replica-source.js";

/** The owner's side, as its store feed sees it. */
export interface StoreFeedSource extends ReplicaSource {
  /** More is durable now, or it is known again where the store stands. */
  onStored(): void;
  /** The store has seen a newer epoch of the session: only the directory decides what that means. */
  onStoreStale(epoch: number): void;
}

/** Where the log in the store stands with this owner's chain. */
type LogPhase =
  /** Older epochs are being shut out [9]. */
  | "fencing"
  /** Where the log ends is being found out by a record. */
  | "probing"
  /** A base has to come first. */
  | "unplaced"
  | "following";

/** What it costs to apply one delta, and to read a byte of it, in milliseconds; for the replay budget. */
const REPLAY_MS_PER_TURN = 0.02;
const REPLAY_MS_PER_BYTE = 0.000_02;

/**
 * Keeps the replica of one session in a store up to date, as Feed does with a copy in another node's memory: a base when it needs one,
 * then, with a log, every delta. Everything may be sent again; what the store has answered is durable. `waited` says whether releases
 * need it [12], `recorded` whether the directory names it in-sync [2, 3].
 */
export class StoreFeed {
  waited = false;
  recorded = false;
  readonly #source: StoreFeedSource;
  readonly #store: StoreWriter;
  /** Whether every delta is logged; otherwise there are only bases. */
  readonly #logs: boolean;
  readonly #tables = new RecordTables();
  #phase: LogPhase = "unplaced";
  #base: "none" | "wanted" | "writing" = "none";
  /** A fence or an append is under way. */
  #asking = false;
  /** Up to where the log in the store has this chain. */
  #logged = 0;
  #acked = -1;
  /** Of the log since the last base was taken. */
  #turnsSince = 0;
  #bytesSince = 0;
  /** Since when there may have been something that is not durable; null when everything is. */
  #behindSinceMs: number | null = null;
  /** When what is under way was taken: what came later is not in it. */
  #appendTakenAtMs = 0;
  #baseTakenAtMs = 0;
  /** The version of the newest base that is certainly there; -1 when that is not known. */
  #baseAt = -1;
  /** Size of the base that the log counts from; null when another owner wrote it, or nobody did. */
  #baseBytes: number | null = null;
  #finished: (() => void) | null = null;
  /** Counts the epochs; what was asked in an older one says nothing any more. */
  #round = 0;
  readonly #logRetry: Backoff;
  readonly #baseRetry: Backoff;
  #baseTimer: Scheduled | null = null;
  #stopped = false;

  constructor(source: StoreFeedSource, store: StoreWriter, logs: boolean) {
    this.#source = source;
    this.#store = store;
    this.#logs = logs;
    const { clock, random, limits } = source.host;
    this.#logRetry = new Backoff(clock, random, limits.storeRetryMs);
    this.#baseRetry = new Backoff(clock, random, limits.storeRetryMs);
  }

  /** Whether it needs every turn's delta. */
  get logs(): boolean {
    return this.#logs;
  }

  /** The store has this chain, and every delta goes there. Only with a log. */
  get following(): boolean {
    return this.#phase === "following";
  }

  /** Highest version that is certainly durable; -1 while none is. */
  get acked(): number {
    return this.#acked;
  }

  /** For how long at most something has not been durable; 0 when everything is. */
  get behindMs(): number {
    return this.#behindSinceMs === null ? 0 : this.#source.host.clock.now() - this.#behindSinceMs;
  }

  /** Requests in a row that have failed. */
  get failures(): number {
    return Math.max(this.#logRetry.failures, this.#baseRetry.failures);
  }

  /** The store has nothing of this session. */
  startFresh(): void {
    this.#behindSinceMs ??= this.#source.host.clock.now();
    this.#phase = "unplaced";
    this.#wantBase();
  }

  /** The present version was read from the store in this epoch. @param logBytes of the log that led to it from the base */
  startAt(logTurns: number, logBytes: number, baseBytes: number): void {
    const { version } = this.#source;
    this.#acked = version;
    this.#logged = version;
    this.#phase = "following";
    this.#turnsSince = logTurns;
    this.#bytesSince = logBytes;
    this.#baseBytes = baseBytes;
    if (logTurns === 0) this.#baseAt = version;
    if (logTurns > 0) this.#armBase();
    this.#push();
  }

  /** What the store has is not known. Also after a change of epoch. */
  startProbing(): void {
    if (this.#acked < this.#source.version) this.#behindSinceMs ??= this.#source.host.clock.now();
    this.#round++;
    this.#asking = false;
    this.#baseBytes = null;
    if (this.#base === "writing") this.#base = "wanted";
    this.#cancelTimers();
    if (this.#logs) {
      this.#phase = "fencing";
      this.#fence();
    } else {
      this.#armBase();
    }
  }

  /** A turn was committed; with a log its delta is the last in the source's. */
  onTurn(): void {
    this.#behindSinceMs ??= this.#source.host.clock.now();
    this.#armBase();
    if (this.#logs) this.#push();
  }

  /** The turn in hand has ended. */
  onQuiet(): void {
    if (this.#base === "wanted" && !this.#baseRetry.pausing) this.#takeBase();
  }

  /** No turn runs any more: the store is to have a base of the version that is reached. `done` once it is durable. */
  finish(done: () => void): void {
    this.#finished = done;
    this.#tellFinished();
    if (this.#finished !== null) this.#wantBase();
  }

  #tellFinished(): void {
    if (this.#baseAt !== this.#source.version) return;
    this.#finished?.();
    this.#finished = null;
  }

  stop(): void {
    this.#stopped = true;
    this.#finished?.();
    this.#finished = null;
    this.#cancelTimers();
  }

  #cancelTimers(): void {
    this.#logRetry.cancel();
    this.#baseRetry.cancel();
    this.#baseTimer?.cancel();
    this.#baseTimer = null;
  }

  // ---- the log ----

  #fence(): void {
    const { key, epoch } = this.#source;
    this.#ask(this.#store.fence(key, epoch), (answer) => {
      if (answer.outcome === "stale") {
        this.#stale(answer.epoch);
        return;
      }
      this.#logRetry.succeeded();
      this.#phase = "probing";
      this.#probe();
    });
  }

  /** The newest delta, sent alone, is taken, or answered with where the log ends. */
  #probe(): void {
    const { log, version } = this.#source;
    if (log.toVersion === version && log.fromVersion < version) this.#append(version - 1);
    else this.#unplace();
  }

  #unplace(): void {
    this.#phase = "unplaced";
    this.#wantBase();
  }

  #push(): void {
    if (this.#stopped || this.#asking || this.#logRetry.pausing) return;
    if (this.#phase === "following" && this.#logged < this.#source.version) this.#append(this.#logged);
  }

  #append(fromVersion: number): void {
    const { key, host } = this.#source;
    const prepared = this.#record(fromVersion);
    if (prepared === null) {
      this.#unplace();
      return;
    }
    const { record, need } = prepared;
    this.#asking = true;
    this.#appendTakenAtMs = host.clock.now();
    const round = this.#round;
    this.#store.append({ session: key, record }, (outcome) => {
      if (this.#stopped || round !== this.#round) return;
      this.#asking = false;
      if (outcome.outcome === "appended" && record.table !== null) this.#tables.brought(need);
      this.#answered(record, outcome);
    });
  }

  /** The deltas after `fromVersion`, as many as one record takes; null when they are not all at hand, or no record can carry the first. */
  #record(fromVersion: number) {
    const { log, host, epoch, hash, key } = this.#source;
    const since = log.since(fromVersion);
    const codec = host.codecOf(key);
    if (since === null || since.hash === null || codec === null) return null;
    const count = countFitting(since.deltas, host.limits.maxStoreRecordBytes / 2);
    const { count: alike, need } = this.#tables.fitting(codec, since.deltas.slice(0, count));
    const table = this.#tables.missing(codec, need);
    if (alike === 0 || table === "unknown") return null;
    const version = fromVersion + alike;
    const endHash = version === log.toVersion ? hash : log.since(version)?.hash;
    if (endHash === undefined || endHash === null) return null;
    const deltas = since.deltas.slice(0, alike);
    const record: LogRecord = { epoch, version, hash: endHash, fromVersion, fromHash: since.hash, deltas, table };
    return { record, need };
  }

  #answered(record: LogRecord, outcome: AppendOutcome): void {
    switch (outcome.outcome) {
      case "appended":
        this.#logRetry.succeeded();
        this.#phase = "following";
        this.#logged = record.version;
        this.#turnsSince += record.deltas.length;
        for (const delta of record.deltas) this.#bytesSince += delta.length;
        this.#advance(record.version, this.#appendTakenAtMs);
        this.#push();
        return;
      case "gap":
        this.#logRetry.succeeded();
        this.#placeAt(outcome.end, record.fromVersion);
        return;
      case "stale":
        this.#stale(outcome.epoch);
        return;
      case "failed":
        // What no record can carry travels as part of a base.
        if (outcome.error.code === "E_STORE_TOO_LARGE") this.#unplace();
        else this.#logFailed(outcome.error);
        return;
    }
  }

  /** The log ends elsewhere. If that lies on this chain it goes on from there. */
  #placeAt(end: Position | null, tried: number): void {
    if (end === null || end.version === tried || !isOnChain(this.#source, end)) {
      this.#unplace();
      return;
    }
    this.#phase = "following";
    this.#logged = end.version;
    this.#advance(end.version, this.#behindSinceMs ?? 0);
    this.#push();
  }

  // ---- bases ----

  /** Something changed since the last base: whether the next is due is looked at after an interval. */
  #armBase(): void {
    if (this.#baseTimer !== null || this.#stopped) return;
    const { clock, limits } = this.#source.host;
    this.#baseTimer = clock.schedule(this.#logs ? limits.baseIntervalMs : limits.snapshotIntervalMs, () => {
      this.#baseTimer = null;
      if (!this.#stopped && this.#isBaseWorth()) this.#wantBase();
    });
  }

  /** A log that is small beside its base is cheaper to keep, and to read, than another base is to write. The replay budget holds besides. */
  #isBaseWorth(): boolean {
    if (!this.#logs || this.#phase !== "following" || this.#baseBytes === null) return true;
    return this.#bytesSince * 100 >= this.#baseBytes * this.#source.host.limits.baseLogPercent;
  }

  #wantBase(): void {
    if (this.#base === "none") this.#base = "wanted";
    if (!this.#baseRetry.pausing) this.#takeBase();
  }

  #takeBase(): void {
    const source = this.#source;
    if (this.#base !== "wanted" || source.busy || this.#stopped) return; // onQuiet calls again
    const { key, host, epoch, version, hash, stateVersion, log } = source;
    const bytes = source.snapshot();
    this.#base = "writing";
    this.#baseTakenAtMs = host.clock.now();
    this.#baseTimer?.cancel();
    this.#baseTimer = null;
    this.#turnsSince = 0;
    this.#bytesSince = 0;
    this.#baseBytes = bytes.length;
    this.#tables.clear();
    if (log.toVersion !== version) log.reset(version);
    const table = () => {
      const codec = host.codecOf(key);
      const need = codec?.tableOf(bytes) ?? null;
      return codec === null || need === null ? null : codec.exportTable(need);
    };
    const write = this.#store.putBase(key, { epoch, version, hash, stateVersion, chunks: [bytes], table });
    const round = this.#round;
    write.then(
      (answer) => {
        if (this.#stopped || round !== this.#round) return;
        this.#base = "none";
        if (answer.outcome === "stale") this.#staleBase(answer.epoch);
        else this.#stored(version);
      },
      (error: unknown) => {
        if (this.#stopped || round !== this.#round) return;
        this.#base = "wanted";
        this.#report(error);
        this.#baseRetry.failed(() => this.#takeBase());
      },
    );
  }

  #stored(version: number): void {
    this.#baseRetry.succeeded();
    if (this.#logs && this.#phase === "unplaced") {
      this.#phase = "following";
      this.#logged = version;
      this.#logRetry.succeeded(); // what the log was given in vain is in the base
    }
    this.#store.prune(this.#source.key).catch(() => undefined); // what is left lying is found by the next one
    this.#baseAt = version;
    this.#advance(version, this.#baseTakenAtMs);
    this.#tellFinished();
    if (this.#finished !== null) this.#wantBase();
    if (!this.#logs && version < this.#source.version) this.#armBase();
    this.#push();
  }

  /** @param version is durable, and was taken at that time */
  #advance(version: number, takenAtMs: number): void {
    const { limits } = this.#source.host;
    const replayMs = this.#turnsSince * REPLAY_MS_PER_TURN + this.#bytesSince * REPLAY_MS_PER_BYTE;
    if (this.#logs && this.#base === "none" && (this.#bytesSince > limits.maxStoreLogBytes || replayMs > limits.replayBudgetMs)) {
      this.#wantBase();
    }
    if (version > this.#acked) {
      this.#acked = version;
      this.#behindSinceMs = version >= this.#source.version ? null : Math.max(takenAtMs, this.#behindSinceMs ?? takenAtMs);
    }
    this.#source.onStored();
  }

  // ---- trouble ----

  #ask<T>(answer: Promise<T>, then: (value: T) => void): void {
    this.#asking = true;
    const round = this.#round;
    answer.then(
      (value) => {
        if (this.#stopped || round !== this.#round) return;
        this.#asking = false;
        then(value);
      },
      (error: unknown) => {
        if (this.#stopped || round !== this.#round) return;
        this.#asking = false;
        this.#logFailed(error);
      },
    );
  }

  #logAgain(): void {
    if (this.#asking) return;
    if (this.#phase === "fencing") this.#fence();
    else if (this.#phase === "probing") this.#probe();
    else this.#push();
  }

  #stale(epoch: number): void {
    this.#logRetry.failed(() => this.#logAgain());
    this.#source.onStoreStale(epoch);
  }

  #staleBase(epoch: number): void {
    this.#base = "wanted";
    this.#baseRetry.failed(() => this.#takeBase());
    this.#source.onStoreStale(epoch);
  }

  #logFailed(error: unknown): void {
    this.#report(error);
    this.#logRetry.failed(() => this.#logAgain());
  }

  /** Once per trouble. */
  #report(error: unknown): void {
    if (this.failures > 0) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#source.host.onIncident(this.#source.key, errorCodeOf(error), `the session store does not take it up: ${message}`);
  }
}
