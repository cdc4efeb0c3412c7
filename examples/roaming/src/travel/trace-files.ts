import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SojournError } from "@sojourn/core";
import type { Position } from "./geo.js";

/** The recorded way of one user, in order of time. */
export interface Track {
  readonly atS: readonly number[];
  readonly lat: readonly number[];
  readonly lon: readonly number[];
}

/** A site of the recorded area. */
export interface Site extends Position {
  readonly id: string;
}

/** What a folder of traces holds. */
export interface Traces {
  readonly tracks: readonly Track[];
  readonly sites: readonly Site[];
}

const MAX_TEXT_BYTES = 1_000_000_000;
const TRACE_COLUMNS = ["user", "t", "lat", "lon"];
const SITE_COLUMNS = ["id", "lat", "lon"];
/** Users with fewer fixes are left out. */
const MIN_FIXES = 2;

/**
 * Reads `*.csv.gz` (columns user, t, lat, lon; sorted by user, then time) and the smallest `sites-N.csv` (columns id, lat, lon) of
 * the folder or of its folder `sf-taxi`.
 * @throws SojournError `E_CONFIG_INVALID` with the file, and the line where there is one
 */
export function readTraces(folder: string): Traces {
  const { at, names } = listing(folder);
  const sitesFile = names.filter((name) => /^sites-\d+\.csv$/.test(name)).sort((a, b) => numberIn(a) - numberIn(b))[0];
  if (sitesFile === undefined) throw refused(`${at} holds no sites-N.csv`);
  const files = names.filter((name) => name.endsWith(".csv.gz")).sort();
  const sites: Site[] = [];
  const sitesPath = join(at, sitesFile);
  eachRow(sitesPath, readFileSync(sitesPath, "utf8"), SITE_COLUMNS, ([id = "", lat, lon], line) => {
    sites.push({ id, lat: degrees(sitesPath, line, lat, 90), lon: degrees(sitesPath, line, lon, 180) });
  });
  if (sites.length === 0) throw refused(`${sitesPath} lists no site`);
  const tracks = files.flatMap((name) => tracksOf(join(at, name)));
  if (tracks.length === 0) throw refused(`${at} holds no track of at least ${MIN_FIXES} positions`);
  return { tracks, sites };
}

function listing(folder: string): { at: string; names: string[] } {
  const tried: string[] = [];
  for (const at of [folder, join(folder, "sf-taxi")]) {
    let names: string[];
    try {
      names = readdirSync(at);
    } catch (cause) {
      if (tried.length === 0) throw refused(`the folder of traces "${folder}" cannot be read: ${messageOf(cause)}`, cause);
      continue;
    }
    if (names.some((name) => name.endsWith(".csv.gz"))) return { at, names };
    tried.push(at);
  }
  throw refused(`the folder of traces "${folder}" holds no *.csv.gz, nor does its folder sf-taxi`);
}

function tracksOf(path: string): Track[] {
  let text: string;
  try {
    text = gunzipSync(readFileSync(path), { maxOutputLength: MAX_TEXT_BYTES }).toString("latin1");
  } catch (cause) {
    throw refused(`${path} cannot be unpacked: ${messageOf(cause)}`, cause);
  }
  const tracks: { atS: number[]; lat: number[]; lon: number[] }[] = [];
  let track: { atS: number[]; lat: number[]; lon: number[] } | null = null;
  let present: string | undefined;
  eachRow(path, text, TRACE_COLUMNS, ([user, t, lat, lon], line) => {
    if (track === null || user !== present) {
      present = user;
      track = { atS: [], lat: [], lon: [] };
      tracks.push(track);
    }
    const atS = Number(t);
    if (t === undefined || t === "" || !(atS >= (track.atS.at(-1) ?? Number.NEGATIVE_INFINITY))) {
      throw refused(`${path}:${line}: "${t}" is not a time in seconds, or is earlier than the line before`);
    }
    track.atS.push(atS);
    track.lat.push(degrees(path, line, lat, 90));
    track.lon.push(degrees(path, line, lon, 180));
  });
  return tracks.filter(({ atS }) => atS.length >= MIN_FIXES);
}

/** Hands over the wanted columns of each row, in the order of `columns`. */
function eachRow(path: string, text: string, columns: readonly string[], row: (cells: (string | undefined)[], line: number) => void): void {
  let line = 0;
  let places: readonly number[] = [];
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    const cells = text.slice(start, text[end - 1] === "\r" ? end - 1 : end).split(",");
    start = end + 1;
    line++;
    if (line === 1) {
      places = columns.map((name) => cells.indexOf(name));
      const missing = columns.filter((_, i) => places[i] === -1);
      if (missing.length > 0)
        throw refused(`${path}:1: the column ${missing.join(", ")} is missing; there are: ${cells.join(", ").slice(0, 200)}`);
    } else if (cells.length > 1) {
      row(
        places.map((place) => cells[place]),
        line,
      );
    }
  }
}

function degrees(path: string, line: number, text: string | undefined, most: number): number {
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  if (Math.abs(value) <= most) return value;
  throw refused(`${path}:${line}: "${text}" is not a number of degrees from -${most} to ${most}`);
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(basename(name))?.[0]);
}

function refused(problem: string, cause?: unknown): SojournError {
  return new SojournError("E_CONFIG_INVALID", problem, {}, cause);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
