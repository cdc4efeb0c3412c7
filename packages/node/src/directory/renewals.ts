// Loaded by name from the thread that renews a node's lease: see RenewalSource.
import type { OpenRenewals } from "@sojourn/core";
import { createSystemClock } from "../system/clock.js";
import { systemCrc32 } from "../system/crc32.js";
import { createSystemRandom } from "../system/random.js";
import { connectDirectory, type RenewalOptions } from "./client.js";

const ATTEMPTS_PER_LEASE = 8;

/** A connection that does nothing but renew. */
export const open: OpenRenewals<RenewalOptions> = (options, ttlMs, onProblem) => {
  const { limits } = options;
  const peerReconnectMaxMs = Math.min(limits.peerReconnectMaxMs, ttlMs / ATTEMPTS_PER_LEASE);
  return connectDirectory({
    ...options,
    limits: { ...limits, peerReconnectMaxMs },
    clock: createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
    onProblem,
  });
};
