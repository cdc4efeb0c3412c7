import type { NodePlace } from "./cities.js";
import { distanceKm, nearestOf, type Position } from "./geo.js";

/** Says which node is nearest to a user. Remembers each user's present node or site, so that none flickers at a border. */
export interface Atlas {
  readonly places: readonly NodePlace[];
  /** The nearest of the nodes that `isOpen`; the present one if it is hardly farther. Null when none is open. */
  nearest(user: number, at: Position, isOpen: (node: string) => boolean): string | null;
}

const WORLD_HYSTERESIS_KM = 50;

/** The nearest node on the globe. */
export function worldAtlas(places: readonly NodePlace[]): Atlas {
  const present = new Map<number, NodePlace>();
  return {
    places,
    nearest(user, at, isOpen) {
      const best = nearestOf(
        at,
        places.filter(({ id }) => isOpen(id)),
      );
      const now = present.get(user);
      if (best === null) return null;
      if (now !== undefined && isOpen(now.id) && distanceKm(at, now) < distanceKm(at, best) + WORLD_HYSTERESIS_KM) return now.id;
      present.set(user, best);
      return best.id;
    },
  };
}
