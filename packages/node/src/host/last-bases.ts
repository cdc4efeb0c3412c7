import type { Scheduled, SessionKey } from "@sojourn/core";
import type { Host } from "./host.js";

/** Sessions that are written at the same time. */
const AT_ONCE = 64;

/**
 * Before a node stops on purpose: its sessions that a store keeps run nothing any more, and each has a base of its last version written, so
 * that whoever restores it replays nothing, and nothing of an `eventual` one is lost. Gives up at `lastBasesMs`.
 * @returns the sessions whose base was not written in time
 */
export async function writeLastBases(host: Host): Promise<readonly SessionKey[]> {
  const left = new Set<SessionKey>();
  for (const { key, owner } of host.slots.values()) {
    if (owner !== null && !owner.cell.ended && !owner.frozen && owner.store.state !== "none") left.add(key);
  }
  if (left.size === 0 || !host.leaseValid()) return [...left];
  let deadline: Scheduled | null = null;
  const late = new Promise<void>((resolve) => {
    deadline = host.clock.schedule(host.limits.lastBasesMs, resolve);
  });
  const waiting = [...left];
  const worker = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      await lastBase(host, key);
      left.delete(key);
    }
  };
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, worker)), late]);
  waiting.length = 0;
  (deadline as Scheduled | null)?.cancel();
  return [...left];
}

function lastBase(host: Host, key: SessionKey): Promise<void> {
  const owner = host.slots.get(key)?.owner ?? null;
  if (owner === null || owner.frozen) return Promise.resolve();
  return new Promise((resolve) => owner.freeze(() => owner.store.finish(resolve)));
}
