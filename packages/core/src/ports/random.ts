/** Randomness. Production uses a cryptographic source; the simulator a seeded one. */
export interface Random {
  /** Uniform in [0, 1). For jitter and choices. */
  next(): number;
  /** `count` unpredictable bytes. For tokens and ids. */
  bytes(count: number): Uint8Array;
}
