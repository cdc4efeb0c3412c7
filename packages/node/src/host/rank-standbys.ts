import type { NodeEntry, NodeRef, Place, SessionKey } from "@sojourn/core";

/**
 * Nodes that could hold a copy of a session, best first: those in another zone before those in the same one (a copy that dies with
 * its owner is no copy), then by round-trip time; among equals by a hash of the session, so that copies spread over the nodes.
 */
export function rankStandbys(
  key: SessionKey,
  self: NodeRef,
  place: Place,
  others: readonly NodeEntry[],
  rttMs: (ref: NodeRef) => number,
): readonly NodeRef[] {
  const kind = key.slice(0, key.indexOf("/"));
  const able = others.filter(
    ({ ref, info }) => ref !== self && !info.cordoned && Object.hasOwn(info.kinds, kind) && rttMs(ref) < Number.POSITIVE_INFINITY,
  );
  const rank = ({ ref, info }: NodeEntry) => ({
    ref,
    sameZone: place.zone !== undefined && info.place.zone === place.zone ? 1 : 0,
    // Differences below 20 % or 1 ms are noise, not distance.
    distance: Math.round(Math.log(Math.max(1, rttMs(ref))) / Math.log(1.2)),
    spread: spreadOf(key, ref),
  });
  return able
    .map(rank)
    .sort((a, b) => a.sameZone - b.sameZone || a.distance - b.distance || a.spread - b.spread)
    .map(({ ref }) => ref);
}

/** FNV-1a over both names. */
function spreadOf(key: SessionKey, ref: NodeRef): number {
  let hash = 0x811c9dc5;
  for (const text of [key, ref]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}
