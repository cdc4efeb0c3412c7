import type { Position } from "./geo.js";

/** A place where a node can stand. */
export interface NodePlace extends Position {
  readonly id: string;
  /** As people call it. */
  readonly name: string;
}

/** Where nodes stand, in the order in which they are taken. */
export const NODE_PLACES: readonly NodePlace[] = [
  { id: "fra-1", name: "Frankfurt", lat: 50.11, lon: 8.68 },
  { id: "iad-1", name: "Ashburn", lat: 39.04, lon: -77.49 },
  { id: "sin-1", name: "Singapore", lat: 1.35, lon: 103.82 },
  { id: "gru-1", name: "São Paulo", lat: -23.55, lon: -46.63 },
  { id: "nrt-1", name: "Tokyo", lat: 35.68, lon: 139.77 },
  { id: "pdx-1", name: "Portland", lat: 45.52, lon: -122.68 },
  { id: "syd-1", name: "Sydney", lat: -33.87, lon: 151.21 },
  { id: "jnb-1", name: "Johannesburg", lat: -26.2, lon: 28.05 },
];

/** Cities between which users travel. */
export const CITIES: readonly (Position & { readonly name: string })[] = [
  { name: "Amsterdam", lat: 52.37, lon: 4.9 },
  { name: "Athens", lat: 37.98, lon: 23.73 },
  { name: "Atlanta", lat: 33.75, lon: -84.39 },
  { name: "Auckland", lat: -36.84, lon: 174.74 },
  { name: "Bangkok", lat: 13.76, lon: 100.5 },
  { name: "Berlin", lat: 52.52, lon: 13.4 },
  { name: "Bogotá", lat: 4.71, lon: -74.07 },
  { name: "Boston", lat: 42.36, lon: -71.06 },
  { name: "Buenos Aires", lat: -34.6, lon: -58.38 },
  { name: "Cairo", lat: 30.04, lon: 31.24 },
  { name: "Cape Town", lat: -33.92, lon: 18.42 },
  { name: "Chicago", lat: 41.88, lon: -87.63 },
  { name: "Dallas", lat: 32.78, lon: -96.8 },
  { name: "Dubai", lat: 25.2, lon: 55.27 },
  { name: "Dublin", lat: 53.35, lon: -6.26 },
  { name: "Hanoi", lat: 21.03, lon: 105.85 },
  { name: "Hong Kong", lat: 22.32, lon: 114.17 },
  { name: "Istanbul", lat: 41.01, lon: 28.98 },
  { name: "Jakarta", lat: -6.21, lon: 106.85 },
  { name: "Lagos", lat: 6.52, lon: 3.38 },
  { name: "Lima", lat: -12.05, lon: -77.04 },
  { name: "Lisbon", lat: 38.72, lon: -9.14 },
  { name: "London", lat: 51.51, lon: -0.13 },
  { name: "Los Angeles", lat: 34.05, lon: -118.24 },
  { name: "Madrid", lat: 40.42, lon: -3.7 },
  { name: "Manila", lat: 14.6, lon: 120.98 },
  { name: "Melbourne", lat: -37.81, lon: 144.96 },
  { name: "Mexico City", lat: 19.43, lon: -99.13 },
  { name: "Montréal", lat: 45.5, lon: -73.57 },
  { name: "Mumbai", lat: 19.08, lon: 72.88 },
  { name: "Nairobi", lat: -1.29, lon: 36.82 },
  { name: "New York", lat: 40.71, lon: -74.01 },
  { name: "Osaka", lat: 34.69, lon: 135.5 },
  { name: "Oslo", lat: 59.91, lon: 10.75 },
  { name: "Paris", lat: 48.86, lon: 2.35 },
  { name: "Perth", lat: -31.95, lon: 115.86 },
  { name: "Rome", lat: 41.9, lon: 12.5 },
  { name: "San Francisco", lat: 37.77, lon: -122.42 },
  { name: "Santiago", lat: -33.45, lon: -70.67 },
  { name: "Seattle", lat: 47.61, lon: -122.33 },
  { name: "Seoul", lat: 37.57, lon: 126.98 },
  { name: "Stockholm", lat: 59.33, lon: 18.07 },
  { name: "Taipei", lat: 25.03, lon: 121.57 },
  { name: "Vancouver", lat: 49.28, lon: -123.12 },
  { name: "Vienna", lat: 48.21, lon: 16.37 },
  { name: "Warsaw", lat: 52.23, lon: 21.01 },
];
