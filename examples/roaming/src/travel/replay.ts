import { type Fix, type Journeys, mergeJourneys } from "./journeys.js";
import type { Track } from "./trace-files.js";

/** Pause between the end of a track and its next round. */
const ROUND_PAUSE_S = 60;

/** Replays recorded tracks for any number of users. When there are more users than tracks, the next ones set out later on the same tracks. */
export function replayTracks(tracks: readonly Track[], users: number): Journeys {
  const rounds = Math.ceil(users / tracks.length);
  return mergeJourneys(
    Array.from({ length: users }, (_, user) => {
      const track = tracks[user % tracks.length];
      if (track === undefined) throw new RangeError("there are no tracks");
      const share = Math.floor(user / tracks.length) / rounds;
      return replay(track, user, Math.floor(share * track.atS.length));
    }),
  );
}

function replay({ atS, lat, lon }: Track, user: number, first: number): () => Fix {
  let index = first;
  let offsetS = -(atS[first] ?? 0);
  return () => {
    const fix: Fix = { atS: (atS[index] ?? 0) + offsetS, user, lat: lat[index] ?? 0, lon: lon[index] ?? 0 };
    index++;
    if (index === atS.length) {
      index = 0;
      offsetS = fix.atS + ROUND_PAUSE_S - (atS[0] ?? 0);
    }
    return fix;
  };
}
