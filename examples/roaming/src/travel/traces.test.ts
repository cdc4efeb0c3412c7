import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { regionAtlas } from "./regions.js";
import { replayTracks } from "./replay.js";
import { readTraces } from "./trace-files.js";

const SITES = "id,lat,lon\ns0,37.00,-122\ns1,37.10,-122\ns2,37.20,-122\ns3,37.30,-122\n";
const TRACKS = `user,t,lat,lon,occupied
7,100,37.00,-122,0
7,160,37.10,-122,1
7,220,37.30,-122,1
9,500,37.30,-122,0
9,530,37.20,-122,0
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sojourn-traces-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fill({ at = folder, sites = SITES, tracks = TRACKS }: { at?: string; sites?: string; tracks?: string } = {}): void {
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "sites-4.csv"), sites);
  writeFileSync(join(at, "validate.csv.gz"), gzipSync(tracks));
}

const refusal = (...parts: string[]) =>
  expect.objectContaining({
    code: "E_CONFIG_INVALID",
    message: expect.stringMatching(new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"))),
  });

describe("reading traces", () => {
  test("takes every user's track and the sites", () => {
    fill();
    const { tracks, sites } = readTraces(folder);
    expect(tracks).toEqual([
      { atS: [100, 160, 220], lat: [37, 37.1, 37.3], lon: [-122, -122, -122] },
      { atS: [500, 530], lat: [37.3, 37.2], lon: [-122, -122] },
    ]);
    expect(sites.map(({ id }) => id)).toEqual(["s0", "s1", "s2", "s3"]);
  });

  test("finds them in the folder sf-taxi, finds columns by name and bears Windows line ends", () => {
    fill({ at: join(folder, "sf-taxi"), tracks: "lon,lat,t,user\r\n-122,37,1,0\r\n-122,37.1,2,0\r\n" });
    expect(readTraces(folder).tracks).toEqual([{ atS: [1, 2], lat: [37, 37.1], lon: [-122, -122] }]);
  });

  test("takes the smallest of several lists of sites", () => {
    fill();
    writeFileSync(join(folder, "sites-116.csv"), "id,lat,lon\nother,0,0\n");
    expect(readTraces(folder).sites).toHaveLength(4);
  });

  test("names what is wrong and where", () => {
    expect(() => readTraces(join(folder, "none"))).toThrow(refusal("cannot be read", "ENOENT"));
    expect(() => readTraces(folder)).toThrow(refusal("holds no *.csv.gz"));
    writeFileSync(join(folder, "a.csv.gz"), "not packed");
    expect(() => readTraces(folder)).toThrow(refusal("holds no sites-N.csv"));
    writeFileSync(join(folder, "sites-1.csv"), SITES);
    expect(() => readTraces(folder)).toThrow(refusal("a.csv.gz", "cannot be unpacked"));
  });

  test.each([
    ["user,t,lat\n0,1,2\n", ":1: the column lon is missing"],
    ["user,t,lat,lon\n0,1,37,-122\n0,2,north,-122\n", ':3: "north"'],
    ["user,t,lat,lon\n0,1,91,-122\n", ':2: "91"'],
    ["user,t,lat,lon\n0,1,,-122\n", ':2: ""'],
    ["user,t,lat,lon\n0,9,37,-122\n0,8,37,-122\n", ':3: "8"'],
    ["user,t,lat,lon\n0,,37,-122\n", ':2: ""'],
    ["user,t,lat,lon\n0,1,37,-122\n", "holds no track"],
  ])("refuses %j", (tracks, problem) => {
    fill({ tracks });
    expect(() => readTraces(folder)).toThrow(refusal(problem));
  });
});

describe("replaying tracks", () => {
  test("starts each user at 0 s and goes round for ever", () => {
    fill();
    const { tracks } = readTraces(folder);
    const journeys = replayTracks(tracks, 2);
    const fixes = Array.from({ length: 200 }, () => journeys.next());
    const taxi = fixes.filter(({ user }) => user === 1).slice(0, 4);
    expect(taxi.map(({ atS, lat }) => [atS, lat])).toEqual([
      [0, 37.3],
      [30, 37.2],
      [90, 37.3],
      [120, 37.2],
    ]);
    expect(fixes.map(({ atS }) => atS)).toEqual(fixes.map(({ atS }) => atS).sort((a, b) => a - b));
  });

  test("lets more users than tracks set out at other places of the same tracks", () => {
    fill();
    const journeys = replayTracks(readTraces(folder).tracks, 4);
    const first = Array.from({ length: 4 }, () => journeys.next());
    expect(first.map(({ atS }) => atS)).toEqual([0, 0, 0, 0]);
    expect(first.map(({ user, lat }) => [user, lat])).toEqual([
      [0, 37],
      [1, 37.3],
      [2, 37.1],
      [3, 37.2],
    ]);
  });
});

describe("sites shared out over nodes", () => {
  const all = () => true;

  test("are strips from north to south, and a position belongs to the node of its nearest site", () => {
    fill();
    const atlas = regionAtlas(readTraces(folder), 2);
    expect(atlas.places.map(({ id }) => id)).toEqual(["sf-1", "sf-2"]);
    expect(atlas.nearest(0, { lat: 37.31, lon: -122 }, all)).toBe("sf-1");
    expect(atlas.nearest(0, { lat: 37.01, lon: -122 }, all)).toBe("sf-2");
  });

  test("leave no node without a site", () => {
    fill();
    const atlas = regionAtlas(readTraces(folder), 4);
    const nodes = [37, 37.1, 37.2, 37.3].map((lat, user) => atlas.nearest(user, { lat, lon: -122 }, all));
    expect(new Set(nodes).size).toBe(4);
    expect(() => regionAtlas(readTraces(folder), 5)).toThrow(refusal("too few for 5 nodes"));
  });

  test("keep a user until another site is 50 m nearer", () => {
    fill();
    const atlas = regionAtlas(readTraces(folder), 4);
    const metres = (m: number) => ({ lat: 37.05 + m / 111_195, lon: -122 }); // from the middle between s0 and s1
    const home = atlas.nearest(0, { lat: 37, lon: -122 }, all);
    expect(atlas.nearest(0, metres(20), all)).toBe(home);
    expect(atlas.nearest(0, metres(30), all)).not.toBe(home);
    expect(atlas.nearest(0, metres(-20), all)).not.toBe(home);
  });

  test("go to the nearest node that is open", () => {
    fill();
    const atlas = regionAtlas(readTraces(folder), 4);
    const home = atlas.nearest(0, { lat: 37.3, lon: -122 }, all);
    expect(home).toBe("sf-1");
    expect(atlas.nearest(0, { lat: 37.3, lon: -122 }, (node) => node !== "sf-1")).toBe("sf-2");
    expect(atlas.nearest(0, { lat: 37.3, lon: -122 }, () => false)).toBeNull();
  });
});
