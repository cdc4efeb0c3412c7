import type { Directory } from "@sojourn/core";

/** One directory under test, fresh for each case. */
export interface DirectoryUnderTest {
  /** A handle, as one node would have; every call another one, all of the same directory. */
  open(): Promise<Directory>;
  /** Stops the directory in good order and starts it again on what it kept. Handles go on when `handlesSurvive`. */
  reopen(): Promise<void>;
  /** The same without any order: what was not answered may be lost. */
  crash(): Promise<void>;
  /** Lets time pass for leases. */
  advance(ms: number): Promise<void>;
  /** Frees everything, the handles too. */
  close(): Promise<void>;
}

/** An implementation of the directory port and what it promises beyond the least. */
export interface DirectoryConformanceOptions {
  start(): Promise<DirectoryUnderTest>;
  /** `reopen` and `crash` work. Why not, otherwise. */
  readonly durable: true | string;
  /** Handles that were open before a `reopen` or `crash` go on. Why not, otherwise. */
  readonly handlesSurvive: true | string;
  /** It refuses a writer without a live lease, an epoch that goes back, and reviving without a greater one. Why not, otherwise. */
  readonly guards: true | string;
  /** How much later than promised a lease may end. */
  readonly leaseSlackMs?: number;
  /** Generated sequences per run of the suite. */
  readonly modelRuns?: number;
  /** Repeats one failure of the generated sequences. */
  readonly modelSeed?: number;
}

/** One case, for whatever test framework. A case with `skipped` cannot run on this implementation; the text says why. */
export interface ConformanceCase {
  readonly name: string;
  readonly skipped?: string;
  run(): Promise<void>;
}
