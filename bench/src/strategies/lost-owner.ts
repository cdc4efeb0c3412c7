import { percentile } from "../common/percentiles.js";
import type { ClientsResult } from "../handover/clients-child.js";
import type { Restore } from "./kind-stores.js";
import { KINDS, LEASE_MS, namesOf, SAFE_KINDS, type SafeKindName, type SizedCluster, settle } from "./sized-cluster.js";

/** What becomes of one kind's sessions when their owner is killed. */
export interface LostOwner {
  /** The kill to a client's first answer, with what it takes to be sure that the owner is gone; null when none came while they talked. */
  readonly servedAgainMs: number | null;
  /**
   * From a store: a new client's first answer from a session that nobody had asked for until the owner was known to be gone. `replica` has
   * nothing to restore: the copy takes over, and this is `servedAgainMs`.
   */
  readonly restoreMs: number | null;
  readonly fenceMs: number;
  readonly readMs: number;
  readonly replayMs: number;
  readonly logTurns: number;
  /** Answered turns that the session did not know any more. */
  readonly lostTurns: number;
}

const TALKING = 4;
const BEFORE_MS = 500;
const AFTER_MS = 2 * LEASE_MS;
const TALK_EVERY_MS = 10;

/**
 * Kills the owner of everything. Some sessions have clients that go on talking; others have a log of a given length and nobody who
 * asks for them until the owner is known to be gone. Ends with the cluster in pieces.
 */
export async function loseOwner(
  { cluster, owner, other, endpoints, sessions }: SizedCluster,
  cold: number,
  logMs: number,
): Promise<Record<SafeKindName, LostOwner>> {
  const { clients } = cluster;
  for (const kind of KINDS) await clients.ask("leave", [...sessions[kind], ...namesOf(kind, "first", 1), ...namesOf(kind, "mover", 1)]);
  const talking = SAFE_KINDS.flatMap((kind) => namesOf(kind, "talking", TALKING));
  const silent = SAFE_KINDS.flatMap((kind) => namesOf(kind, "silent", cold));
  await clients.ask("open", { sessions: [...talking, ...silent], endpoints, spread: false });
  // Their first snapshot is there; what follows is log.
  await settle();
  const said = await clients.ask<ClientsResult>("talk", { sessions: silent, everyMs: TALK_EVERY_MS, forMs: logMs });
  const saidOf = new Map<string, number>();
  for (const { session } of said.messages) saidOf.set(session, (saidOf.get(session) ?? 0) + 1);
  await clients.ask("leave", silent);

  const after = clients.ask<ClientsResult>("talk", { sessions: talking, everyMs: TALK_EVERY_MS, forMs: BEFORE_MS + AFTER_MS });
  await settle(BEFORE_MS);
  const goneAtMs = Number(process.hrtime.bigint()) / 1e6;
  owner.kill();
  const heard = await after;

  const lost = {} as Record<SafeKindName, LostOwner>;
  for (const kind of SAFE_KINDS) {
    const served = namesOf(kind, "talking", TALKING).flatMap((session) => {
      const answers = heard.messages.filter((message) => message.session === session && message.sentAtMs >= goneAtMs);
      return answers.length === 0 ? [] : [Math.min(...answers.map(({ answeredAtMs }) => answeredAtMs)) - goneAtMs];
    });
    const servedAgainMs = served.length === 0 ? null : percentile(served, 50);
    const firsts: number[] = [];
    let lostTurns = 0;
    for (const session of namesOf(kind, "silent", cold)) {
      const { tookMs, seen } = await clients.ask<{ tookMs: number; seen: number }>("first", { session, endpoints: [endpoints[1]] });
      firsts.push(tookMs);
      lostTurns += Math.max(0, (saidOf.get(session) ?? 0) - seen);
    }
    const restores = (await other.ask<Restore[]>("restores")).filter(({ session }) => session.startsWith(`${kind}/silent`));
    const of = (figure: Exclude<keyof Restore, "session">) =>
      percentile(
        restores.map((restore) => restore[figure]),
        50,
      );
    lost[kind] = {
      servedAgainMs,
      restoreMs: kind === "replica" ? servedAgainMs : percentile(firsts, 50),
      fenceMs: of("fenceMs"),
      readMs: of("readMs"),
      replayMs: of("replayMs"),
      logTurns: of("logTurns"),
      lostTurns,
    };
  }
  return lost;
}
