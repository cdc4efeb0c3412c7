import { randomFillSync } from "node:crypto";
import type { Random } from "@sojourn/core";

const POOL_BYTES = 4_096;
const TWO_POW_32 = 4_294_967_296;
const TWO_POW_53 = 9_007_199_254_740_992;

/** Cryptographic randomness. Bytes for `next` come from a pool, so that a call costs no system call. */
export function createSystemRandom(fill: (target: Uint8Array) => void = randomFillSync): Random {
  const pool = new Uint8Array(POOL_BYTES);
  const view = new DataView(pool.buffer);
  let at = POOL_BYTES;
  return {
    next() {
      if (at + 8 > POOL_BYTES) {
        fill(pool);
        at = 0;
      }
      const high = view.getUint32(at, true) & 0x1f_ffff;
      const low = view.getUint32(at + 4, true);
      at += 8;
      return (high * TWO_POW_32 + low) / TWO_POW_53;
    },
    // Never from the pool: what tokens are made of must not linger in memory that is read later.
    bytes(count) {
      const bytes = new Uint8Array(count);
      fill(bytes);
      return bytes;
    },
  };
}
