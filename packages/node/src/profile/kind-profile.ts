import { type ChangeTimer, type Durability, LogHistogram } from "@sojourn/core";
import type { KindReport } from "./reports.js";

/**
 * One change of so many is timed, since the clock may cost as much as half a turn; a prime, so that no rhythm of an application falls in
 * with it.
 */
const TIMED_EVERY = 509;
const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

/** What the sessions of one kind did on this node. Turns and moves are also counted over the recent past. */
export class KindProfile implements ChangeTimer {
  readonly name: string;
  readonly durability: Durability;
  readonly deltaBytes = new LogHistogram();
  readonly #stateBytes = new LogHistogram();
  /** Turns of a session in 1,000 seconds. */
  readonly #turnRate = new LogHistogram();
  readonly #blackoutUs = new LogHistogram();
  readonly #encodeNs = new LogHistogram();
  readonly #applyNs = new LogHistogram();
  readonly #snapshotNs = new LogHistogram();
  #untilTimed = TIMED_EVERY;
  #turns = 0;
  #moves = 0;
  #active = 0;
  /** Up to the last look. */
  #seen = { turns: 0, moves: 0, atMs: 0 };
  #recent = { turns: 0, moves: 0, ms: 0 };

  constructor(name: string, durability: Durability, nowMs: number) {
    this.name = name;
    this.durability = durability;
    this.#seen.atMs = nowMs;
  }

  due(): boolean {
    this.#untilTimed--;
    if (this.#untilTimed > 0) return false;
    this.#untilTimed = TIMED_EVERY;
    return true;
  }

  encoded(ms: number): void {
    this.#encodeNs.record(ms * NS_PER_MS);
  }

  applied(ms: number): void {
    this.#applyNs.record(ms * NS_PER_MS);
  }

  /** A session was encoded whole to see how large it is. */
  sampled(ms: number): void {
    this.#snapshotNs.record(ms * NS_PER_MS);
  }

  moved(blackoutMs: number): void {
    this.#moves++;
    this.#blackoutUs.record(blackoutMs * US_PER_MS);
  }

  /** A window has ended; its sessions follow. */
  begin(): void {
    this.#active = 0;
  }

  /** A session that had turns in the window. 0 bytes: its size is not known. */
  session(turns: number, turnsPerSec: number, stateBytes: number): void {
    this.#active++;
    this.#turns += turns;
    this.#turnRate.record(turnsPerSec * 1_000);
    if (stateBytes > 0) this.#stateBytes.record(stateBytes);
  }

  /** All sessions of the window that ended at that time are in. */
  turnOver(endedMs: number, forget: boolean): void {
    const { turns, moves, atMs } = this.#seen;
    const recent = this.#recent;
    recent.turns += this.#turns - turns;
    recent.moves += this.#moves - moves;
    recent.ms += endedMs - atMs;
    this.#seen = { turns: this.#turns, moves: this.#moves, atMs: endedMs };
    if (!forget) return;
    recent.turns /= 2;
    recent.moves /= 2;
    recent.ms /= 2;
    for (const histogram of [
      this.deltaBytes,
      this.#stateBytes,
      this.#turnRate,
      this.#blackoutUs,
      this.#encodeNs,
      this.#applyNs,
      this.#snapshotNs,
    ]) {
      histogram.halve();
    }
  }

  /** @param open turns that are not in yet */
  report(sessions: number, open: number, nowMs: number): KindReport {
    const { turns, moves, atMs } = this.#seen;
    const recent = this.#recent;
    const sec = (recent.ms + nowMs - atMs) / 1_000;
    const perSec = (count: number) => (sec > 0 ? count / sec : 0);
    return {
      kind: this.name,
      durability: this.durability,
      sessions,
      active: this.#active,
      turns: this.#turns + open,
      moves: this.#moves,
      turnsPerSec: perSec(recent.turns + this.#turns + open - turns),
      movesPerSec: perSec(recent.moves + this.#moves - moves),
      stateBytes: this.#stateBytes.data(),
      deltaBytes: this.deltaBytes.data(),
      sessionTurnsPerSec: this.#turnRate.data(1e-3),
      blackoutMs: this.#blackoutUs.data(1 / US_PER_MS),
      encodeUs: this.#encodeNs.data(1e-3),
      applyUs: this.#applyNs.data(1e-3),
      snapshotUs: this.#snapshotNs.data(1e-3),
    };
  }
}
