import { type BenchState, benchState } from "./bench-state.js";

/** About as many bytes as `benchState()` has encoded. */
const ROOM_BYTES = 5_000;

/** Rooms of about 5 KB. */
export interface SizedState {
  rooms: BenchState[];
}

/** A state of about so many bytes: rooms of 5 KB, or a part of one. */
export function sizedState(bytes: number): SizedState {
  const rooms = Array.from({ length: Math.max(1, Math.round(bytes / ROOM_BYTES)) }, benchState);
  const share = Math.min(1, bytes / ROOM_BYTES);
  const [first] = rooms;
  if (first !== undefined && share < 1) {
    for (const key of [...first.players.keys()].slice(Math.round(first.players.size * share))) first.players.delete(key);
    first.chat.splice(Math.round(first.chat.length * share));
  }
  return { rooms };
}
