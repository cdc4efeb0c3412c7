import { ChangeLog } from "./change-log.js";

/** A run of the present array: `count` elements that stood from `old` on when the turn began, or new ones when `old` is -1. */
export interface Piece {
  readonly old: number;
  readonly count: number;
}

/** Elements that stood from `old` on when the turn began and are gone. */
export interface Gone {
  readonly old: number;
  readonly values: readonly unknown[];
}

/**
 * How an array came from what it was when the turn began. Three stages, each entered only when needed: overwritten elements and
 * a tail that grew (`pieces` null), runs that were kept between runs that are new (`pieces`), or just the old contents (`whole`).
 */
export class ArrayLog {
  /** Old values of overwritten elements that still have a place, by their index at the begin. */
  readonly overwritten = new ChangeLog();
  beginLength = 0;
  pieces: Piece[] | null = null;
  gone: Gone[] = [];
  whole: readonly unknown[] | null = null;

  begin(raw: readonly unknown[]): void {
    this.beginLength = raw.length;
  }

  reset(): void {
    this.overwritten.clear();
    this.pieces = null;
    if (this.gone.length > 0) this.gone = [];
    this.whole = null;
  }

  /** Element `index` is about to be replaced. */
  beforeSet(raw: readonly unknown[], index: number): void {
    if (this.whole !== null) return;
    const old = this.pieces === null ? (index < this.beginLength ? index : -1) : this.#oldIndexOf(this.pieces, index);
    if (old >= 0 && this.overwritten.find(old) < 0) this.overwritten.add(old, raw[index]);
  }

  /** `deleted` elements from `start` on are about to give way to `inserted` new ones. */
  beforeSplice(raw: readonly unknown[], start: number, deleted: number, inserted: number): void {
    if (this.whole !== null || (deleted === 0 && inserted === 0)) return;
    if (this.pieces === null) {
      if (start >= this.beginLength) return;
      this.pieces = [{ old: 0, count: this.beginLength }];
      if (raw.length > this.beginLength) this.pieces.push({ old: -1, count: raw.length - this.beginLength });
    }
    this.pieces = this.#cut(this.pieces, raw, start, deleted, inserted);
  }

  /** Elements are about to be rearranged beyond what runs can describe. */
  beforeRearrange(raw: readonly unknown[]): void {
    if (this.whole !== null) return;
    const whole = this.contentsAtBegin(raw);
    this.reset();
    this.whole = whole;
  }

  /** The array as it was when the turn began. */
  contentsAtBegin(raw: readonly unknown[]): readonly unknown[] {
    if (this.whole !== null) return this.whole;
    const out: unknown[] = this.pieces === null ? raw.slice(0, this.beginLength) : new Array(this.beginLength);
    let at = 0;
    for (const piece of this.pieces ?? []) {
      for (let i = 0; piece.old >= 0 && i < piece.count; i += 1) out[piece.old + i] = raw[at + i];
      at += piece.count;
    }
    for (const run of this.gone) for (let i = 0; i < run.values.length; i += 1) out[run.old + i] = run.values[i];
    const log = this.overwritten;
    for (let i = 0; i < log.size; i += 1) if (log.isLive(i)) out[log.keys[i] as number] = log.olds[i];
    return out;
  }

  /** True when moves and removals have cancelled out, as they can among equal elements. */
  isBackAtBegin(raw: readonly unknown[]): boolean {
    if (this.pieces === null || raw.length !== this.beginLength) return false;
    let at = 0;
    for (const piece of this.pieces) {
      if (piece.old !== at) break;
      at += piece.count;
    }
    if (at < raw.length && !this.#mayHaveStoodAt(at, raw[at])) return false;
    return this.contentsAtBegin(raw).every((value, i) => Object.is(value, raw[i]));
  }

  /** False when a look at what is gone rules it out. */
  #mayHaveStoodAt(index: number, value: unknown): boolean {
    for (const run of this.gone) {
      if (run.old <= index && index < run.old + run.values.length) return Object.is(run.values[index - run.old], value);
    }
    return true;
  }

  #oldIndexOf(pieces: readonly Piece[], index: number): number {
    let at = 0;
    for (const piece of pieces) {
      if (index < at + piece.count) return piece.old < 0 ? -1 : piece.old + index - at;
      at += piece.count;
    }
    return -1;
  }

  #cut(pieces: readonly Piece[], raw: readonly unknown[], start: number, deleted: number, inserted: number): Piece[] {
    const out: Piece[] = [];
    const end = start + deleted;
    let placed = false;
    let at = 0;
    const keep = (old: number, count: number) => {
      if (count <= 0) return;
      const last = out.at(-1);
      if (old < 0 && last !== undefined && last.old < 0) out[out.length - 1] = { old, count: last.count + count };
      else out.push({ old, count });
    };
    const place = () => {
      if (!placed) keep(-1, inserted);
      placed = true;
    };
    for (const piece of pieces) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + piece.count);
      if (at + piece.count <= start) keep(piece.old, piece.count);
      else {
        keep(piece.old, start - at);
        place();
        if (piece.old >= 0 && to > from) this.#take(piece.old + from - at, raw, from, to);
        const rest = at + piece.count - Math.max(end, at);
        keep(piece.old < 0 ? -1 : piece.old + piece.count - rest, rest);
      }
      at += piece.count;
    }
    place();
    return out;
  }

  /** Remembers kept elements that go now, as they were at the begin. */
  #take(old: number, raw: readonly unknown[], from: number, to: number): void {
    const values = raw.slice(from, to);
    const log = this.overwritten;
    for (let i = 0; log.live > 0 && i < log.size; i += 1) {
      const index = log.isLive(i) ? (log.keys[i] as number) : -1;
      if (index < old || index >= old + values.length) continue;
      values[index - old] = log.olds[i];
      log.removeAt(i);
    }
    this.gone.push({ old, values });
  }
}
