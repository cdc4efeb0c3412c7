import type { SessionKey } from "@sojourn/core";

/** What one session is like. */
export interface SessionLoad {
  readonly turnsPerSec: number;
  /** Encoded; 0 when it is not known. */
  readonly stateBytes: number;
}

interface Load {
  turnsPerSec: number;
  stateBytes: number;
  seen: boolean;
}

/** How much the latest window counts against those before. */
const WEIGHT = 0.3;
/** Slower than one turn in some hours is idle: nothing need be kept of it. */
const IDLE_PER_SEC = 1e-4;

/** Smooths what the windows of a profile say of each session; one without turns in a window had none. */
export class SessionLoads {
  readonly #loads = new Map<SessionKey, Load>();

  of(key: SessionKey): SessionLoad | undefined {
    return this.#loads.get(key);
  }

  /** It had turns in the window that ends. */
  seen(key: SessionKey, turnsPerSec: number, stateBytes: number): void {
    const load = this.#loads.get(key);
    if (load === undefined) {
      this.#loads.set(key, { turnsPerSec, stateBytes, seen: true });
      return;
    }
    load.turnsPerSec += WEIGHT * (turnsPerSec - load.turnsPerSec);
    if (stateBytes > 0) load.stateBytes = stateBytes;
    load.seen = true;
  }

  /** The window has ended; only these are here. */
  turnOver(here: ReadonlySet<SessionKey>): void {
    for (const [key, load] of this.#loads) {
      if (!load.seen) load.turnsPerSec *= 1 - WEIGHT;
      load.seen = false;
      if (!here.has(key) || load.turnsPerSec < IDLE_PER_SEC) this.#loads.delete(key);
    }
  }
}
