import type { ArrayLog } from "./array-log.js";
import { isContainer, kindOf } from "./kinds.js";
import { OP } from "./patch.js";

const RUN_FROM = 3;
const SHARE_STRINGS_FROM = 8;

/** Collects the operations on one array. */
export interface ArrayOutput {
  readonly out: unknown[];
  /** Told of each value that is carried. */
  carry(value: unknown): void;
  /** False when no container can have moved inside of the array. */
  readonly mayHaveMoved: boolean;
}

/** Appends the operations that lead from the array's begin to `raw`. */
export function emitArray(log: ArrayLog, raw: readonly unknown[], output: ArrayOutput): void {
  if (log.isBackAtBegin(raw)) return;
  if (log.whole !== null) emitDifference(log.whole, raw, output);
  else if (output.mayHaveMoved && (log.pieces !== null || log.overwritten.live > 0)) {
    const before = log.contentsAtBegin(raw);
    if (sharesContainer(before, raw, log)) emitDifference(before, raw, output);
    else emitLogged(log, raw, output);
  } else emitLogged(log, raw, output);
}

/** True when a container is new at its place although it stood in the array before: it moved. */
function sharesContainer(before: readonly unknown[], raw: readonly unknown[], log: ArrayLog): boolean {
  const lost = new Set<unknown>();
  const overwritten = log.overwritten;
  for (let i = 0; i < overwritten.size; i += 1)
    if (overwritten.isLive(i) && isContainer(overwritten.olds[i])) lost.add(overwritten.olds[i]);
  for (const run of log.gone) for (const value of run.values) if (isContainer(value)) lost.add(value);
  if (lost.size === 0 || before.length === 0) return false;
  return raw.some((value) => lost.has(value));
}

function emitLogged(log: ArrayLog, raw: readonly unknown[], output: ArrayOutput): void {
  const at = (old: number) => old;
  if (log.pieces === null) {
    emitOverwritten(log, raw, output, at);
    if (raw.length > log.beginLength) emitSplice(log.beginLength, 0, raw.slice(log.beginLength), output);
    return;
  }
  const gone = [...log.gone].sort((a, b) => a.old - b.old);
  let nextGone = 0;
  let position = 0;
  let old = 0;
  let inserted = 0;
  /** The elements from `old` to `until` gave way to the `inserted` ones before `position`. */
  const closeGap = (until: number) => {
    const removed: unknown[] = [];
    for (let run = gone[nextGone]; run !== undefined && run.old < until; run = gone[nextGone]) {
      removed.push(...run.values);
      nextGone += 1;
    }
    emitReplaced(position - inserted, removed, raw.slice(position - inserted, position), output);
    inserted = 0;
  };
  const shifts: { readonly old: number; readonly by: number }[] = [];
  for (const piece of log.pieces) {
    if (piece.old < 0) {
      inserted += piece.count;
    } else {
      if (piece.old > old || inserted > 0) closeGap(piece.old);
      shifts.push({ old: piece.old, by: position - piece.old });
      old = piece.old + piece.count;
    }
    position += piece.count;
  }
  if (old < log.beginLength || inserted > 0) closeGap(log.beginLength);
  emitOverwritten(log, raw, output, (index) => {
    let by = 0;
    for (const shift of shifts) if (shift.old <= index) by = shift.by;
    return index + by;
  });
}

function emitOverwritten(log: ArrayLog, raw: readonly unknown[], output: ArrayOutput, placeOf: (old: number) => number): void {
  const overwritten = log.overwritten;
  if (overwritten.live === 0) return;
  const places: number[] = [];
  for (let i = 0; i < overwritten.size; i += 1) {
    if (!overwritten.isLive(i)) continue;
    const place = placeOf(overwritten.keys[i] as number);
    if (!Object.is(raw[place], overwritten.olds[i])) places.push(place);
  }
  if (places.length >= RUN_FROM) places.sort((a, b) => a - b);
  for (let i = 0; i < places.length; ) {
    const start = places[i] as number;
    let length = 1;
    while (places[i + length] === start + length) length += 1;
    if (length >= RUN_FROM) emitSplice(start, length, raw.slice(start, start + length), output);
    else for (let k = 0; k < length; k += 1) emitSet(start + k, raw[start + k], output);
    i += length;
  }
}

/** The general case: the smallest region that differs, with what moved inside of it named by its old place. */
function emitDifference(before: readonly unknown[], now: readonly unknown[], output: ArrayOutput): void {
  const { start, beforeEnd, nowEnd } = trim(before, now);
  if (start === beforeEnd && start === nowEnd) return;
  const oldPlaces = new Map<unknown, number>();
  for (let i = start; i < beforeEnd; i += 1) {
    const value = before[i];
    if (isContainer(value) || (typeof value === "string" && value.length >= SHARE_STRINGS_FROM)) oldPlaces.set(value, i - start);
  }
  const sources: number[] = [];
  const items: unknown[] = [];
  let saved = 0;
  for (let i = start; i < nowEnd; i += 1) {
    const place = oldPlaces.get(now[i]) ?? -1;
    sources.push(place);
    if (place < 0) items.push(now[i]);
    else if (saved <= nowEnd - start) saved += weightOf(now[i], nowEnd - start - saved + 1);
  }
  if (saved <= nowEnd - start) {
    emitRuns(before, now, start, beforeEnd, nowEnd, output);
    return;
  }
  for (const item of items) output.carry(item);
  output.out.push(OP.arrange, start, beforeEnd - start, sources, items);
}

/** Without references: single sets where only few elements of a region of equal length differ, else the region. */
function emitRuns(
  before: readonly unknown[],
  now: readonly unknown[],
  start: number,
  beforeEnd: number,
  nowEnd: number,
  output: ArrayOutput,
) {
  if (beforeEnd === nowEnd) {
    let differing = 0;
    for (let i = start; i < nowEnd; i += 1) if (!Object.is(before[i], now[i])) differing += 1;
    if (differing * 3 <= nowEnd - start || differing < RUN_FROM || hasUnchangedContainer(before, now, start, nowEnd)) {
      for (let i = start; i < nowEnd; i += 1) if (!Object.is(before[i], now[i])) emitSet(i, now[i], output);
      return;
    }
  }
  emitSplice(start, beforeEnd - start, now.slice(start, nowEnd), output);
}

function hasUnchangedContainer(before: readonly unknown[], now: readonly unknown[], start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if (isContainer(now[i]) && before[i] === now[i]) return true;
  return false;
}

function emitReplaced(at: number, removed: readonly unknown[], inserted: readonly unknown[], output: ArrayOutput): void {
  const { start, beforeEnd, nowEnd } = trim(removed, inserted);
  if (start === beforeEnd && start === nowEnd) return;
  if (beforeEnd - start === 1 && nowEnd - start === 1) emitSet(at + start, inserted[start], output);
  else emitSplice(at + start, beforeEnd - start, inserted.slice(start, nowEnd), output);
}

function emitSet(index: number, value: unknown, output: ArrayOutput): void {
  output.carry(value);
  output.out.push(OP.set, index, value);
}

function emitSplice(at: number, count: number, items: readonly unknown[], output: ArrayOutput): void {
  for (const item of items) output.carry(item);
  output.out.push(OP.splice, at, count, items);
}

/** Leaves out what is the same at both ends. */
function trim(before: readonly unknown[], now: readonly unknown[]): { start: number; beforeEnd: number; nowEnd: number } {
  const shorter = Math.min(before.length, now.length);
  let start = 0;
  while (start < shorter && Object.is(before[start], now[start])) start += 1;
  let beforeEnd = before.length;
  let nowEnd = now.length;
  while (beforeEnd > start && nowEnd > start && Object.is(before[beforeEnd - 1], now[nowEnd - 1])) {
    beforeEnd -= 1;
    nowEnd -= 1;
  }
  return { start, beforeEnd, nowEnd };
}

/** About how many bytes a value takes in a patch; stops counting beyond `cap`. */
function weightOf(value: unknown, cap: number): number {
  if (typeof value === "string") return value.length + 1;
  if (!isContainer(value)) return 3;
  const kind = kindOf(value);
  if (kind === "typed") return 4 + (value as Uint8Array).byteLength;
  if (kind === "date") return 8;
  const children: Iterable<unknown> =
    kind === "map" ? (value as Map<unknown, unknown>).values() : kind === "set" ? (value as Set<unknown>) : Object.values(value);
  let weight = 3;
  for (const child of children) {
    weight += weightOf(child, cap - weight);
    if (weight > cap) break;
  }
  return weight;
}
