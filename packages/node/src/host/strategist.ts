import { type SessionKey, SojournError, type Strategy, type StrategyReport } from "@sojourn/core";
import type { Host } from "./host.js";

/** How often sessions of this node were given another strategy. */
export interface StrategyCounts {
  readonly changed: number;
  readonly failed: number;
}

/** Gives sessions that this node owns another strategy, while they run. */
export class Strategist {
  readonly #host: Host;
  #changed = 0;
  #failed = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get counts(): StrategyCounts {
    return { changed: this.#changed, failed: this.#failed };
  }

  /** @throws SojournError (rejects) `E_NOT_OWNER`, `E_STRATEGY_INVALID`, `E_STRATEGY_FAILED`; the session keeps its strategy then */
  set(session: SessionKey, to: Strategy): Promise<StrategyReport> {
    const owner = this.#host.slots.get(session)?.owner ?? null;
    if (owner === null) return Promise.reject(new SojournError("E_NOT_OWNER", `this node does not own ${session}`));
    return new Promise((resolve, reject) => {
      owner.store.change(to, {
        changed: (report) => {
          if (report.changed) this.#changed++;
          resolve(report);
        },
        failed: (code, message) => {
          this.#failed++;
          reject(new SojournError(code, message, { session }));
        },
      });
    });
  }
}
