import type { Fix, Journeys } from "./journeys.js";

/** Told what happens on the way. */
export interface TravelListener {
  readonly position: (fix: Fix) => void;
  /** Another node than before is nearest to the user now. */
  readonly crossing: (user: number, node: string) => void;
}

/** Positions read ahead in one go at most, when no border is crossed. */
const READ_AHEAD = 20_000;

/**
 * Lets the journeys happen in real time, sped up or slowed down so that borders are crossed at an even pace: the k-th crossing comes
 * k / perSecond after the start, and the positions in between spread over the time in between. Reads no clock itself.
 */
export class PacedTravel {
  readonly #journeys: Journeys;
  readonly #users: number;
  readonly #nearest: (fix: Fix) => string | null;
  readonly #intervalMs: number;
  readonly #listener: TravelListener;
  readonly #nodeOf = new Map<number, string>();
  #ahead: Fix[] = [];
  #aheadFrom = 0;
  #crossing: { readonly fix: Fix; readonly node: string } | null = null;
  #crossedAtMs = 0;
  #crossedAtS = 0;

  constructor(
    journeys: Journeys,
    users: number,
    nearest: (fix: Fix) => string | null,
    crossingsPerSecond: number,
    listener: TravelListener,
  ) {
    this.#journeys = journeys;
    this.#users = users;
    this.#nearest = nearest;
    this.#intervalMs = 1_000 / crossingsPerSecond;
    this.#listener = listener;
  }

  /** Where everybody is at the beginning: calls `position` once per user. */
  depart(): ReadonlyMap<number, string> {
    while (this.#nodeOf.size < this.#users) {
      const fix = this.#journeys.next();
      const node = this.#nearest(fix);
      if (node === null) throw new RangeError("no node is open");
      if (!this.#nodeOf.has(fix.user)) this.#listener.position(fix);
      this.#nodeOf.set(fix.user, node);
      this.#crossedAtS = fix.atS;
    }
    return this.#nodeOf;
  }

  /** Starts to count time at `nowMs`. */
  begin(nowMs: number): void {
    this.#crossedAtMs = nowMs;
  }

  /** Lets everything happen that is due. */
  advance(nowMs: number): void {
    for (;;) {
      if (this.#crossing === null) this.#readAhead();
      const crossing = this.#crossing as { fix: Fix; node: string } | null;
      const dueAtMs = this.#crossedAtMs + this.#intervalMs;
      if (crossing === null) {
        // Nobody crosses a border within sight: go on without waiting.
        this.#emitUntil(Number.POSITIVE_INFINITY);
        this.#crossedAtMs = Math.max(this.#crossedAtMs, nowMs - this.#intervalMs);
        return;
      }
      if (nowMs < dueAtMs) {
        const share = Math.max(0, (nowMs - this.#crossedAtMs) / this.#intervalMs);
        this.#emitUntil(this.#crossedAtS + share * (crossing.fix.atS - this.#crossedAtS));
        return;
      }
      this.#emitUntil(Number.POSITIVE_INFINITY);
      this.#listener.position(crossing.fix);
      this.#listener.crossing(crossing.fix.user, crossing.node);
      this.#crossedAtMs = dueAtMs;
      this.#crossedAtS = crossing.fix.atS;
      this.#crossing = null;
    }
  }

  #emitUntil(atS: number): void {
    for (let fix = this.#ahead[this.#aheadFrom]; fix !== undefined && fix.atS <= atS; fix = this.#ahead[this.#aheadFrom]) {
      this.#listener.position(fix);
      this.#aheadFrom++;
    }
  }

  #readAhead(): void {
    this.#ahead = [];
    this.#aheadFrom = 0;
    for (let i = 0; i < READ_AHEAD; i++) {
      const fix = this.#journeys.next();
      const node = this.#nearest(fix);
      if (node === null || node === this.#nodeOf.get(fix.user)) {
        this.#ahead.push(fix);
        continue;
      }
      this.#nodeOf.set(fix.user, node);
      this.#crossing = { fix, node };
      return;
    }
  }
}
