import type { RoamingOptions } from "../options.js";
import { type Atlas, worldAtlas } from "./atlas.js";
import { NODE_PLACES } from "./cities.js";
import type { Journeys } from "./journeys.js";
import { regionAtlas } from "./regions.js";
import { replayTracks } from "./replay.js";
import { readTraces } from "./trace-files.js";
import { generateTrips } from "./trips.js";

/** Who travels where, and which node is near. */
export interface Travel {
  readonly title: string;
  readonly atlas: Atlas;
  readonly journeys: Journeys;
}

/**
 * Generated trips over the globe, or recorded ones over one city.
 * @throws SojournError `E_CONFIG_INVALID` about the traces
 */
export function planTravel({ traces, nodes, clients, seed }: RoamingOptions): Travel {
  if (traces === null) {
    return {
      title: `travelling between cities (seed ${seed})`,
      atlas: worldAtlas(NODE_PLACES.slice(0, nodes)),
      journeys: generateTrips(clients, seed),
    };
  }
  const recorded = readTraces(traces);
  return {
    title: `following ${recorded.tracks.length} recorded tracks over ${recorded.sites.length} sites`,
    atlas: regionAtlas(recorded, nodes),
    journeys: replayTracks(recorded.tracks, clients),
  };
}
