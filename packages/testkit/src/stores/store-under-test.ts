import type { Limits, SessionStore } from "@sojourn/core";

/** What of a kept session is to be damaged. */
export type DamagedPart = "newest base" | "last record" | "middle record";

/** One store under test, fresh for each case. */
export interface StoreUnderTest {
  /** A handle, as one node would have. */
  open(): Promise<SessionStore>;
  /** Another handle of the same store, as far from the first as the implementation can be: another connection or process. */
  openSecond(): Promise<SessionStore>;
  /** Closes the handles in good order and starts the store again on what it kept. Old handles are void. */
  reopen(): Promise<void>;
  /** The same without any order, as a power cut. */
  crash(): Promise<void>;
  /** Flips or cuts the kept bytes of a session where they really lie. Old handles may be void afterwards. */
  damage(session: string, part: DamagedPart, how: "flip" | "cut"): Promise<void>;
  /** Frees everything, the handles too. */
  close(): Promise<void>;
}

/** An implementation of the session store port and what it can show. */
export interface StoreConformanceOptions {
  /** The store has to keep to these bounds. */
  start(limits: Partial<Limits>): Promise<StoreUnderTest>;
  /** `reopen` and `crash` work. Why not, otherwise. */
  readonly durable: true | string;
  /** `damage` works. Why not, otherwise. */
  readonly damageable: true | string;
  /** `openSecond` works. Why not, otherwise. */
  readonly shared: true | string;
  /** Size of the snapshot that is streamed. */
  readonly streamedBytes?: number;
  /** Generated sequences per run of the suite. */
  readonly modelRuns?: number;
  /** Repeats one failure of the generated sequences. */
  readonly modelSeed?: number;
}
