import { kindInKey, type NodeEntry, type NodeRef, type Place, type SessionKey } from "@sojourn/core";
import { weightOf } from "./rendezvous.js";

/** Round trips up to this are as good as each other: on one site they tell how busy a node was, not how far away it is. */
const NEAR_MS = 5;
/** Beyond that, differences below this factor are noise. */
const STEP = 1.5;

/**
 * Nodes that could hold a copy of a session, best first: those in another failure domain before those in the same one (a copy that
 * dies with its owner is no copy), then by distance. Among equals each session has an order of its own (rendezvous hashing), so that
 * the copies of one node's sessions, and with them its sessions when it dies, spread evenly, and another node that comes or goes
 * changes the order of no others.
 */
export function rankStandbys(
  key: SessionKey,
  self: NodeRef,
  place: Place,
  others: readonly NodeEntry[],
  rttMs: (ref: NodeRef) => number,
): readonly NodeRef[] {
  const kind = kindInKey(key);
  const able = others.filter(
    ({ ref, info }) => ref !== self && !info.cordoned && Object.hasOwn(info.kinds, kind) && rttMs(ref) < Number.POSITIVE_INFINITY,
  );
  const rank = ({ ref, info }: NodeEntry) => ({
    ref,
    together: failTogether(place, info.place) ? 1 : 0,
    distance: distanceOf(rttMs(ref)),
    weight: weightOf(key, ref),
  });
  return able
    .map(rank)
    .sort((a, b) => a.together - b.together || a.distance - b.distance || b.weight - a.weight)
    .map(({ ref }) => ref);
}

/** Whether one accident may take both: the same zone of the same region. A node that names no zone is alone in its domain. */
function failTogether(one: Place, other: Place): boolean {
  return one.zone !== undefined && one.zone === other.zone && one.region === other.region;
}

function distanceOf(rttMs: number): number {
  return rttMs <= NEAR_MS ? 0 : 1 + Math.floor(Math.log(rttMs / NEAR_MS) / Math.log(STEP));
}
