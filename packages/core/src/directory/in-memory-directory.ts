import { type Limits, resolveLimits } from "../limits/catalogue.js";
import type { Clock } from "../ports/clock.js";
import type { Directory } from "../ports/directory.js";
import { DirectoryEngine } from "./directory-engine.js";
import { LocalDirectory } from "./local-directory.js";

/**
 * A directory in this process that keeps nothing: for tests, simulators and single-process use. It uses no time but that of
 * the given clock. Each `open` is one node's handle; all of them see the same directory.
 */
export class InMemoryDirectory {
  readonly #engine: DirectoryEngine;

  constructor(clock: Clock, limits: Partial<Limits> = {}) {
    this.#engine = DirectoryEngine.inMemory({ clock, limits: resolveLimits(limits) });
  }

  open(): Directory {
    return new LocalDirectory(this.#engine);
  }

  /** Ends the directory for every handle. */
  async close(): Promise<void> {
    await this.#engine.close();
  }
}
