import { kindInKey, type NodeEntry, type NodeRef, type Priority, type SessionKey } from "@sojourn/core";
import type { Host } from "./host.js";
import type { Mover } from "./mover.js";

/** How a node is emptied. */
export interface DrainOptions {
  /** Time after which the drain gives up on what is left; default 30 s. */
  readonly deadlineMs?: number;
  /** Only to this node; default: spread over all that can run the kind. */
  readonly to?: string;
  readonly onProgress?: (progress: { readonly moved: number; readonly left: number }) => void;
}

/** How a drain went. */
export interface DrainReport {
  readonly moved: number;
  /** Sessions that could not be moved before the deadline; they are still owned here. */
  readonly left: readonly SessionKey[];
  /** Copies of other nodes' sessions that are still recorded here. */
  readonly copiesLeft: number;
  readonly elapsedMs: number;
}

const DEFAULT_DEADLINE_MS = 30_000;
/** Pause between rounds over sessions that could not be moved (the reason is usually passing). */
const ROUND_PAUSE_MS = 50;

/** Moves every session of a cordoned node away, then has its copies dropped from the records. */
export async function drain(host: Host, mover: Mover, options: DrainOptions): Promise<DrainReport> {
  const { clock } = host;
  const startedAtMs = clock.now();
  const deadlineAtMs = startedAtMs + (options.deadlineMs ?? DEFAULT_DEADLINE_MS);
  const pause = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve));
  let moved = 0;
  for (let owned = host.ownedKeys(); owned.length > 0 && clock.now() < deadlineAtMs; owned = host.ownedKeys()) {
    const moves = assign(host, byPriority(host, owned), options.to);
    const outcomes = await Promise.all(
      moves.map(async (move) => {
        const done = await mover.moveAll([move]);
        if (done[0]?.moved === true) {
          moved++;
          options.onProgress?.({ moved, left: host.ownedKeys().length });
        }
        return done[0]?.moved === true;
      }),
    );
    if (!outcomes.some(Boolean)) await pause(ROUND_PAUSE_MS);
  }
  while (host.slots.size > 0 && host.ownedKeys().length === 0 && clock.now() < deadlineAtMs) {
    for (const slot of host.slots.values()) {
      const record = slot.cas.record;
      if (slot.role.kind !== "standby" || record === null || record.heir === host.self) continue;
      host.send(record.owner, "control", { t: "leave", session: slot.key, epoch: record.epoch });
    }
    await pause(ROUND_PAUSE_MS);
  }
  return { moved, left: host.ownedKeys(), copiesLeft: host.slots.size, elapsedMs: clock.now() - startedAtMs };
}

const RANK: Readonly<Record<Priority, number>> = { critical: 0, normal: 1, anonymous: 2 };

/** What matters most leaves first: moves begin in this order, a bounded number at a time. */
function byPriority(host: Host, sessions: readonly SessionKey[]): SessionKey[] {
  return [...sessions].sort((a, b) => RANK[host.priorityOf(a)] - RANK[host.priorityOf(b)]);
}

/** Spreads sessions evenly over the nodes that can run their kind, nearest first among equals. */
function assign(host: Host, sessions: readonly SessionKey[], only: string | undefined): { session: SessionKey; to: NodeRef }[] {
  const open = host.membership.others().filter((entry) => !entry.info.cordoned && (only === undefined || entry.info.id === only));
  const byNearness = open.sort((a, b) => (host.rttMs(a.ref) ?? 1e9) - (host.rttMs(b.ref) ?? 1e9));
  const load = new Map<NodeRef, number>();
  const moves: { session: SessionKey; to: NodeRef }[] = [];
  for (const session of sessions) {
    const kind = kindInKey(session);
    let best: NodeEntry | null = null;
    for (const entry of byNearness) {
      if (!Object.hasOwn(entry.info.kinds, kind)) continue;
      if (best === null || (load.get(entry.ref) ?? 0) < (load.get(best.ref) ?? 0)) best = entry;
    }
    if (best === null) continue;
    load.set(best.ref, (load.get(best.ref) ?? 0) + 1);
    moves.push({ session, to: best.ref });
  }
  return moves;
}
