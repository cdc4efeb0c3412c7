import { CITIES } from "./cities.js";
import { along, distanceKm, type Position } from "./geo.js";
import { type Fix, type Journeys, mergeJourneys } from "./journeys.js";
import { seededRandom } from "./random.js";

const SPEED_KM_PER_S = 0.25; // 900 km/h
const FIX_EVERY_S = 900;
const SHORTEST_STAY_S = 3_600;
const STAY_SPREAD_S = 36_000;

/** Generated journeys: each user stays in a city for some hours, flies to another one, and so on. */
export function generateTrips(users: number, seed: number): Journeys {
  const random = seededRandom(seed);
  const seeds = Array.from({ length: users }, () => Math.floor(random() * 2 ** 32));
  return mergeJourneys(seeds.map((own, user) => traveller(user, seededRandom(own))));
}

function traveller(user: number, random: () => number): () => Fix {
  const pick = (): Position => CITIES[Math.floor(random() * CITIES.length)] ?? { lat: 0, lon: 0 };
  let from = pick();
  let to = from;
  let departsAtS = 0;
  let arrivesAtS = 0;
  let atS = 0;
  return () => {
    const progress = arrivesAtS === departsAtS ? 1 : Math.max(0, (atS - departsAtS) / (arrivesAtS - departsAtS));
    const { lat, lon } = along(from, to, Math.min(1, progress));
    const fix: Fix = { atS, user, lat, lon };
    if (progress >= 1) {
      from = to;
      while (to === from) to = pick();
      departsAtS = atS + SHORTEST_STAY_S + random() * STAY_SPREAD_S;
      arrivesAtS = departsAtS + distanceKm(from, to) / SPEED_KM_PER_S;
      atS = departsAtS;
    } else {
      atS = Math.min(arrivesAtS, atS + FIX_EVERY_S);
    }
    return fix;
  };
}
