import type { Clock, Limits, MoveReport, Scheduled, SessionCell, SessionDefinition, SessionKey, SessionMeter } from "@sojourn/core";
import { kindInKey, LogHistogram, percentileOf } from "@sojourn/core";
import { KindProfile } from "./kind-profile.js";
import { OwnerMeter } from "./owner-meter.js";
import type { Profile } from "./reports.js";
import { SessionDetails } from "./session-details.js";

/** Sessions that one step of a window's end looks at; other work runs between two steps. */
const STEP_SESSIONS = 2_000;
/** After so many windows, what was seen before weighs half. */
const HALVING_WINDOWS = 30;
/** A session of which details are kept loses its place after so many windows without a turn. */
const IDLE_WINDOWS = 30;
/** Sessions a window that are encoded only to learn their size. */
const SIZED_PER_WINDOW = 4;

/** A session's place on the node, as far as it matters here. */
interface ProfiledSlot {
  readonly key: SessionKey;
  readonly sizeBytes: number;
  readonly owner: { readonly cell: Pick<SessionCell, "busy" | "ended" | "snapshot"> } | null;
}

/** A window that has ended: who had turns in it, and up to where they are in. */
interface EndedWindow {
  readonly meters: readonly OwnerMeter[];
  at: number;
  readonly sec: number;
  readonly turns: LogHistogram;
}

/** Who wants to know what each session did in a window. */
export interface WindowListener {
  /** It had turns in the window that ends. `stateBytes` 0: its size is not known. */
  session(key: SessionKey, turnsPerSec: number, stateBytes: number): void;
  /** All sessions of the window that ended were told. */
  windowEnded(): void;
}

type Slots = ReadonlyMap<SessionKey, ProfiledSlot>;

/**
 * Learns what the sessions of a node are like: sizes, changes, turns, moves and times. A turn costs it a few additions and allocates
 * nothing; the rest is done once a window, in steps. Its memory is bounded: a few arrays for each kind, a few numbers for each owned
 * session, and details of the busiest `maxProfiledSessions`.
 */
export class Profiler {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #kinds = new Map<string, KindProfile>();
  readonly #details = new Map<SessionKey, SessionDetails>();
  /** Meters with turns in the present window. */
  readonly #active: OwnerMeter[] = [];
  #ended: EndedWindow | null = null;
  #slots: () => Slots | null = () => null;
  #listener: WindowListener | null = null;
  #timer: Scheduled | null = null;
  #windowStartedMs: number;
  #windows = 0;
  #sizedUpTo = 0;

  constructor(definitions: readonly SessionDefinition[], clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#windowStartedMs = clock.now();
    for (const { name, durability } of definitions) this.#kinds.set(name, new KindProfile(name, durability, clock.now()));
  }

  /** Begins to close windows. `slots` gives what is on this node, or null while it has no life. */
  start(slots: () => Slots | null): void {
    this.#slots = slots;
    this.#arm();
  }

  /** Tells what sessions did, window by window. */
  listen(listener: WindowListener): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Times changes of a kind. */
  timerOf(kind: string): KindProfile | undefined {
    return this.#kinds.get(kind);
  }

  /** For a new owner of a session on this node. */
  meterOf(key: SessionKey): SessionMeter | null {
    const kind = this.#kindOf(key);
    return kind === undefined ? null : new OwnerMeter(key, kind, this.#details.get(key) ?? null, this.#active);
  }

  /** A session was given away. */
  moved({ session, blackoutMs }: MoveReport): void {
    this.#kindOf(session)?.moved(blackoutMs);
    this.#details.get(session)?.moved(blackoutMs);
  }

  /** What is known, of one kind or all, with at most `limit` sessions. */
  report(node: string, kind: string | null, limit: number): Profile {
    const nowMs = this.#clock.now();
    const owned = new Map<string, number>();
    for (const slot of this.#slots()?.values() ?? []) {
      if (slot.owner === null) continue;
      const name = kindInKey(slot.key);
      owned.set(name, (owned.get(name) ?? 0) + 1);
    }
    const wanted = (name: string) => kind === null || name === kind;
    const kinds = [...this.#kinds.values()].filter(({ name }) => wanted(name));
    const busiest = [...this.#details.values()].filter(({ key }) => wanted(kindInKey(key))).sort((a, b) => b.turnsPerSec - a.turnsPerSec);
    return {
      kinds: kinds.map((profile) => profile.report(owned.get(profile.name) ?? 0, this.#open(profile), nowMs)),
      sessions: busiest.slice(0, limit).map((details) => details.report(node)),
    };
  }

  /** Turns of a kind that are not in yet. */
  #open(kind: KindProfile): number {
    let turns = 0;
    const of = (meter: OwnerMeter) => {
      if (meter.kind === kind) turns += meter.turns;
    };
    this.#active.forEach(of);
    this.#ended?.meters.slice(this.#ended.at).forEach(of);
    return turns;
  }

  #kindOf(key: SessionKey): KindProfile | undefined {
    return this.#kinds.get(kindInKey(key));
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(this.#limits.profileWindowMs, () => this.#turnOver());
  }

  #turnOver(): void {
    const nowMs = this.#clock.now();
    const sec = Math.max(1e-3, (nowMs - this.#windowStartedMs) / 1_000);
    this.#windowStartedMs = nowMs;
    this.#windows++;
    for (const kind of this.#kinds.values()) kind.begin();
    this.#sizeSome();
    this.#ended = { meters: this.#active.splice(0), at: 0, sec, turns: new LogHistogram() };
    this.#step(this.#ended);
  }

  /** Takes in some sessions of the window that has ended, and goes on later with the rest. */
  #step(ended: EndedWindow): void {
    const { meters, sec, turns } = ended;
    const slots = this.#slots();
    const end = Math.min(meters.length, ended.at + STEP_SESSIONS);
    for (; ended.at < end; ended.at++) {
      const meter = meters[ended.at] as OwnerMeter;
      meter.turnOver();
      meter.noteBase(slots?.get(meter.key)?.sizeBytes ?? 0);
      const turnsPerSec = meter.lastTurns / sec;
      meter.kind.session(meter.lastTurns, turnsPerSec, meter.stateBytes);
      meter.details?.busy(turnsPerSec, meter.stateBytes);
      turns.record(meter.lastTurns);
      this.#listener?.session(meter.key, turnsPerSec, meter.stateBytes);
    }
    if (end < meters.length) {
      this.#timer = this.#clock.schedule(0, () => this.#step(ended));
      return;
    }
    this.#ended = null;
    const forget = this.#windows % HALVING_WINDOWS === 0;
    for (const kind of this.#kinds.values()) kind.turnOver(this.#windowStartedMs, forget);
    this.#rank(meters, sec, turns);
    this.#listener?.windowEnded();
    this.#arm();
  }

  /** Gives the places for details to the busiest. */
  #rank(ended: readonly OwnerMeter[], sec: number, turns: LogHistogram): void {
    const { maxProfiledSessions } = this.#limits;
    for (const details of this.#details.values()) {
      details.turnOver();
      if (details.idleWindows >= IDLE_WINDOWS) this.#details.delete(details.key);
    }
    const share = ended.length === 0 ? 0 : Math.max(0, 1 - maxProfiledSessions / ended.length);
    const least = share === 0 ? 0 : percentileOf(turns.data(), share * 100) / 2;
    const newcomers = ended.filter(({ key, lastTurns }) => lastTurns >= least && !this.#details.has(key));
    newcomers.sort((a, b) => b.lastTurns - a.lastTurns);
    const leavers = [...this.#details.values()].sort((a, b) => a.turnsPerSec - b.turnsPerSec);
    for (const meter of newcomers) {
      const turnsPerSec = meter.lastTurns / sec;
      if (this.#details.size >= maxProfiledSessions) {
        const leaver = leavers.shift();
        if (leaver === undefined || leaver.turnsPerSec >= turnsPerSec) return;
        this.#details.delete(leaver.key);
      }
      const details = new SessionDetails(meter.key);
      this.#details.set(meter.key, details);
      meter.details = details;
      details.busy(turnsPerSec, meter.stateBytes);
      details.turnOver();
    }
  }

  /** Learns the sizes of a few sessions that are known to be small enough and had turns, in turn. */
  #sizeSome(): void {
    const slots = this.#slots();
    const active = this.#active;
    if (slots === null) return;
    let left = SIZED_PER_WINDOW;
    for (let looked = 0; looked < Math.min(active.length, SIZED_PER_WINDOW * 4) && left > 0; looked++) {
      this.#sizedUpTo = (this.#sizedUpTo + 1) % active.length;
      const meter = active[this.#sizedUpTo] as OwnerMeter;
      const slot = slots.get(meter.key);
      const cell = slot?.owner?.cell;
      if (slot === undefined || cell === undefined || cell.busy || cell.ended) continue;
      meter.noteBase(slot.sizeBytes);
      const known = meter.stateBytes;
      if (known === 0 || known + meter.grownBytes > this.#limits.maxProfiledStateBytes) continue;
      const startedMs = this.#clock.now();
      const bytes = cell.snapshot().length;
      meter.kind.sampled(this.#clock.now() - startedMs);
      meter.encoded(bytes);
      left--;
    }
  }
}
