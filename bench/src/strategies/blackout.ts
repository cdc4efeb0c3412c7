import { percentile } from "../common/percentiles.js";
import type { ClientsResult } from "../handover/clients-child.js";
import type { DriveResult } from "../handover/driver.js";
import { namesOf, type SafeKindName, type SizedCluster } from "./sized-cluster.js";

/** A session that moves as often as it can, beside the same time without a move. */
export interface Blackout {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly moves: number;
  readonly failed: number;
  /** The client's round trips in the window without a move. */
  readonly controlP50Us: number;
  readonly controlP99Us: number;
  /** Its round trips while the session moved all the time. */
  readonly movingP99Us: number;
  /** Messages of both windows. */
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

const EVERY_MS = 5;

/** The session that moves. */
export const moverOf = (kind: SafeKindName): string => namesOf(kind, "mover", 1)[0] as string;

/** Moves the session to and fro, one move at a time, while its client says something every 5 ms. */
export async function driveMover({ cluster }: SizedCluster, kind: SafeKindName, forMs: number): Promise<DriveResult> {
  const { nodes } = cluster;
  const driven = await Promise.all(
    nodes.map(({ child }, i) =>
      child.ask<DriveResult>("drive", { sessions: [moverOf(kind)], to: nodes[1 - i]?.id, inFlight: 1, perSec: 1_000_000, forMs }),
    ),
  );
  return {
    moved: driven.reduce((sum, { moved }) => sum + moved, 0),
    failed: driven.reduce((sum, { failed }) => sum + failed, 0),
    times: driven.flatMap(({ times }) => times),
  };
}

export async function measureBlackout(sized: SizedCluster, kind: SafeKindName, controlMs: number, movesMs: number): Promise<Blackout> {
  const talk = (forMs: number) => sized.cluster.clients.ask<ClientsResult>("talk", { everyMs: EVERY_MS, forMs, sessions: [moverOf(kind)] });
  const control = await talk(controlMs);
  const [moving, { times, moved, failed }] = await Promise.all([talk(movesMs), driveMover(sized, kind, movesMs)]);
  const frozenUs = times.map(({ frozenAtMs, takenAtMs }) => (takenAtMs - frozenAtMs) * 1_000);
  const tripsUs = ({ messages }: ClientsResult) => messages.map(({ sentAtMs, answeredAtMs }) => (answeredAtMs - sentAtMs) * 1_000);
  return {
    p50Us: percentile(frozenUs, 50),
    p99Us: percentile(frozenUs, 99),
    moves: moved,
    failed,
    controlP50Us: percentile(tripsUs(control), 50),
    controlP99Us: percentile(tripsUs(control), 99),
    movingP99Us: percentile(tripsUs(moving), 99),
    messages: control.sent + moving.sent,
    lost: control.lost + moving.lost,
    // The books count on from window to window.
    doubled: moving.doubled,
    reordered: moving.reordered,
  };
}
