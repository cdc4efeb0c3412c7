import { SojournError } from "../errors/sojourn-error.js";
import { TrackedState } from "../state/tracked-state.js";
import type { SessionBody } from "./body.js";
import { commitTurn, noTurn } from "./commit-turn.js";
import type { Durability } from "./definition.js";
import { applyDelta } from "./delta.js";
import { type LiveCopy, startLiveCopy } from "./live-copy.js";
import { dueAlarm, nextAlarmMs, planTurn } from "./plan-turn.js";
import type { SessionCell } from "./session-port.js";
import { encodeSnapshot } from "./snapshot.js";
import { Turn, turnEnded } from "./turn.js";
import type { TurnRunner } from "./turn-runner.js";
import type { Link, TurnInput, TurnResult } from "./types.js";
import { upgradeState } from "./upgrade.js";

/** One session on one node: runs turns while the node owns it, follows deltas while it does not. */
export class Session implements SessionCell {
  readonly #body: SessionBody;
  readonly #runner: TurnRunner;
  #turn: Turn | null = null;

  constructor(body: SessionBody, runner: TurnRunner) {
    this.#body = body;
    this.#runner = runner;
  }

  get key(): string {
    return this.#body.key;
  }

  get kind(): string {
    return this.#body.definition.name;
  }

  get version(): number {
    return this.#body.version;
  }

  get stateVersion(): number {
    return this.#body.stateVersion;
  }

  get ended(): boolean {
    return this.#body.ended;
  }

  get durability(): Durability {
    return this.#body.durability;
  }

  get links(): ReadonlyMap<string, Link> {
    return this.#body.links.byId;
  }

  get busy(): boolean {
    return this.#turn !== null;
  }

  get pendingWork(): number {
    return this.#body.work.pending;
  }

  run(input: TurnInput, wantDelta: boolean): TurnResult | Promise<TurnResult> {
    const body = this.#body;
    this.#refuseWhenBusy("run");
    if (body.ended) {
      const error = new SojournError("E_SESSION_ENDED", `${body.key} has ended`);
      return noTurn(body, "ignored", undefined, input.kind === "attach" ? { ok: false, error } : null);
    }
    // Says nothing of the state, and must be said even where that cannot be read.
    if (input.kind !== "branch") this.#becomeOwner();
    const plan = planTurn(body, input, wantDelta);
    return plan instanceof Turn ? this.#start(plan) : plan;
  }

  abort(): void {
    const turn = this.#turn;
    if (turn === null) return;
    turn.drop();
    this.#release();
    turn.resolve?.(noTurn(this.#body, "aborted"));
  }

  idle(): Promise<void> {
    return this.#body.work.idle();
  }

  acknowledge(id: string, generation: number, seq: number): void {
    const { links } = this.#body;
    const link = links.byId.get(id);
    if (link === undefined || generation < link.firstGeneration || generation > link.generation) return;
    links.confirm(link, generation, seq);
  }

  nextTimerAtMs(): number | null {
    return nextAlarmMs(this.#body);
  }

  dueTimer(): string | null {
    return dueAlarm(this.#body);
  }

  snapshot(): Uint8Array {
    this.#refuseWhenBusy("snapshot");
    return encodeSnapshot(this.#body, this.#body.env.clock.now());
  }

  copyLive(minBytes: number): LiveCopy | null {
    this.#refuseWhenBusy("copyLive");
    return startLiveCopy(this.#body, minBytes);
  }

  apply(delta: Uint8Array): void {
    this.#refuseWhenBusy("apply");
    const body = this.#body;
    const { changes, clock } = body.env;
    const timed = changes?.due() === true;
    const startedMs = clock.now();
    applyDelta(body, delta, startedMs);
    if (timed) changes?.applied(clock.now() - startedMs);
    // Somebody else runs the turns: proxies of this node are void, and what it rebuilt may be stale.
    if (body.tracked === null) return;
    body.tracked = null;
    body.cache.dropRebuilt();
  }

  get keepsLazy(): boolean {
    for (const [, { cacheClass, from }] of this.#body.cache.entries()) if (cacheClass === "lazy" && from === null) return true;
    return false;
  }

  cachedValue(key: string): unknown {
    const entry = this.#body.cache.get(key);
    return entry !== undefined && entry.cacheClass === "lazy" && entry.from === null ? entry.value : undefined;
  }

  #refuseWhenBusy(what: string): void {
    if (this.#turn !== null) throw new SojournError("E_INTERNAL", `${what} of ${this.#body.key} was called while a turn is in hand`);
  }

  #becomeOwner(): void {
    const body = this.#body;
    if (body.stateVersion !== body.definition.version) {
      body.raw = upgradeState(body, body.raw, body.stateVersion);
      body.stateVersion = body.definition.version;
      body.restated = true;
      body.tracked = null;
    }
    if (body.tracked === null) {
      const guard = () => {
        const turn = this.#turn;
        if (turn === null) throw turnEnded(body);
        turn.use();
      };
      body.tracked = new TrackedState(body.raw, body.env.limits, guard, body.watchers);
    }
  }

  #start(turn: Turn): TurnResult | Promise<TurnResult> {
    this.#turn = turn;
    this.#body.turn = turn;
    if (turn.program === null) return this.#finish(turn);
    const awaited = this.#step(turn, false, undefined);
    if (awaited === null) return this.#finish(turn);
    return new Promise((resolve, reject) => {
      turn.resolve = resolve;
      this.#await(turn, awaited, reject);
    });
  }

  /** What the turn waits for, or null when its handlers are through. A defect of the runtime drops the turn. */
  #step(turn: Turn, failed: boolean, value: unknown): Promise<unknown> | null {
    try {
      return turn.async ? this.#runner.step(turn, failed, value) : this.#runner.start(turn);
    } catch (defect) {
      turn.drop();
      this.#release();
      throw defect;
    }
  }

  /** Goes on when the promise settles, unless the turn was aborted: then whatever comes of it is void. */
  #await(turn: Turn, awaited: Promise<unknown>, reject: (defect: unknown) => void): void {
    const resume = (failed: boolean, value: unknown) => {
      if (this.#turn !== turn) return;
      try {
        const next = this.#step(turn, failed, value);
        if (next === null) turn.resolve?.(this.#finish(turn));
        else this.#await(turn, next, reject);
      } catch (defect) {
        reject(defect);
      }
    };
    awaited.then(
      (value) => resume(false, value),
      (error: unknown) => resume(true, error),
    );
  }

  #finish(turn: Turn): TurnResult {
    const body = this.#body;
    try {
      if (turn.counts) return commitTurn(turn);
      turn.drop();
      return noTurn(body, "ignored", undefined, turn.refusal === null ? null : { ok: false, error: turn.refusal });
    } finally {
      this.#release();
    }
  }

  #release(): void {
    this.#turn = null;
    this.#body.turn = null;
  }
}
