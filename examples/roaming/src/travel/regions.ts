import { SojournError } from "@sojourn/core";
import type { Atlas } from "./atlas.js";
import type { NodePlace } from "./cities.js";
import { distanceKm, nearestOf, type Position } from "./geo.js";
import type { Site, Traces } from "./trace-files.js";

const SITE_HYSTERESIS_KM = 0.05;
/** One fix in so many tells how busy a site is. */
const SAMPLE_EVERY = 50;

/**
 * The recorded area with its sites shared out over `count` nodes: strips from north to south or west to east (the longer way) that are
 * about equally busy. A user belongs to the nearest site, with 50 m of hysteresis, and so to the node of that site.
 * @throws SojournError `E_CONFIG_INVALID` when there are fewer sites than nodes
 */
export function regionAtlas({ sites, tracks }: Traces, count: number): Atlas {
  if (sites.length < count) {
    throw new SojournError("E_CONFIG_INVALID", `the traces have ${sites.length} sites, too few for ${count} nodes`);
  }
  const visits = countVisits(sites, tracks);
  const nodes = shareOut(sites, visits, count);
  const present = new Map<number, Site>();
  return {
    places: nodes.map(({ place }) => place),
    nearest(user, at, isOpen) {
      const best = nearestOf(at, sites);
      if (best === null) return null;
      const now = present.get(user);
      const site = now !== undefined && distanceKm(at, now) < distanceKm(at, best) + SITE_HYSTERESIS_KM ? now : best;
      present.set(user, site);
      const home = nodes.find((node) => node.sites.has(site.id))?.place;
      if (home !== undefined && isOpen(home.id)) return home.id;
      const open = nodes.filter(({ place }) => isOpen(place.id)).map(({ place }) => place);
      return nearestOf(site, open)?.id ?? null;
    },
  };
}

function countVisits(sites: readonly Site[], tracks: Traces["tracks"]): Map<string, number> {
  const visits = new Map(sites.map(({ id }) => [id, 1]));
  for (const { atS, lat, lon } of tracks) {
    for (let i = 0; i < atS.length; i += SAMPLE_EVERY) {
      const site = nearestOf({ lat: lat[i] ?? 0, lon: lon[i] ?? 0 }, sites);
      if (site !== null) visits.set(site.id, (visits.get(site.id) ?? 0) + 1);
    }
  }
  return visits;
}

interface Region {
  readonly place: NodePlace;
  readonly sites: ReadonlySet<string>;
}

function shareOut(sites: readonly Site[], visits: ReadonlyMap<string, number>, count: number): Region[] {
  const busy = (site: Site): number => visits.get(site.id) ?? 0;
  const total = sites.reduce((sum, site) => sum + busy(site), 0);
  const ordered = [...sites].sort(longerWay(sites));
  const strips: Site[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const [i, site] of ordered.entries()) {
    // By the middle of its share; but no strip stays empty as long as there are sites for it.
    const byVisits = Math.floor(((before + busy(site) / 2) / total) * count);
    const strip = Math.max(Math.min(byVisits, i), count - (ordered.length - i));
    strips[Math.min(count - 1, strip)]?.push(site);
    before += busy(site);
  }
  return strips.map((strip, i) => ({
    place: { id: `sf-${i + 1}`, name: `SF ${i + 1}`, ...centre(strip) },
    sites: new Set(strip.map(({ id }) => id)),
  }));
}

function longerWay(sites: readonly Site[]): (a: Site, b: Site) => number {
  const lats = sites.map(({ lat }) => lat);
  const lons = sites.map(({ lon }) => lon);
  const [south, north, west, east] = [Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)];
  const tall = distanceKm({ lat: south, lon: west }, { lat: north, lon: west });
  const wide = distanceKm({ lat: south, lon: west }, { lat: south, lon: east });
  return tall >= wide ? (a, b) => b.lat - a.lat : (a, b) => a.lon - b.lon;
}

function centre(sites: readonly Site[]): Position {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { lat: mean(sites.map(({ lat }) => lat)), lon: mean(sites.map(({ lon }) => lon)) };
}
