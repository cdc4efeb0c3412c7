import type { Edit } from "./mutant.js";

/** What a worker is to do; given as JSON in its first argument. */
export interface WorkerTask {
  /** What a mutant changes; none to run the code as it is. */
  readonly edits: readonly Edit[];
  readonly firstSeed: number;
  readonly lastSeed: number;
}

/** What a worker says after each seed. It goes on until its task is done or it is stopped. */
export interface SeedOutcome {
  readonly seed: number;
  /** Violations that the simulator reported. */
  readonly problems: readonly string[];
  /** The simulator itself ended with an error. */
  readonly crash: string | null;
}
