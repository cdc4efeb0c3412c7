import type { TypedArray } from "../state/kinds.js";
import { bytesOf, largeArraysOf, type WriteWatcher } from "../state/large-arrays.js";
import type { SessionBody } from "./body.js";
import { encodeSnapshot } from "./snapshot.js";

/** A stretch of a large array as it is now. */
export interface ArrayPiece {
  /** Number of the array within the copy. */
  readonly array: number;
  /** Bytes of the whole array. */
  readonly arrayBytes: number;
  readonly offset: number;
  /** A view of the session's own memory, valid until its next turn. */
  readonly bytes: Uint8Array;
}

/**
 * A session that is copied while its turns go on, as a virtual machine is (pre-copy, Clark et al., Live Migration of Virtual Machines,
 * NSDI 2005): its large typed arrays piece by piece, then again what turns have written since, and at last, between two turns, all the
 * rest at one version. Nothing of it is called while a turn is in hand.
 */
export interface LiveCopy {
  /** Bytes that are to be read yet. */
  readonly restBytes: number;
  /** Bytes of all arrays. */
  readonly arrayBytes: number;
  /** The next piece, of at most `maxBytes` but at least a page; null when nothing is left. */
  next(maxBytes: number): ArrayPiece | null;
  /** This stretch is to be read again. */
  again(array: number, offset: number, length: number): void;
  /** The session at its present version without those arrays; null when some of their bytes, or a new array, are to be read first. */
  finish(): Uint8Array | null;
  /** Stops watching the session's writes. */
  close(): void;
}

const PAGE_BYTES = 4_096;

/** Begins one; null when the state has no array of that size. */
export function startLiveCopy(body: SessionBody, minBytes: number): LiveCopy | null {
  return largeArraysOf(body.raw, minBytes).length === 0 ? null : new SessionCopy(body, minBytes);
}

/** An array with a mark for every page that is to be read. */
interface MarkedArray {
  readonly bytes: Uint8Array;
  readonly marks: Uint8Array;
  marked: number;
}

class SessionCopy implements LiveCopy, WriteWatcher {
  readonly #body: SessionBody;
  readonly #minBytes: number;
  readonly #numbers = new Map<TypedArray, number>();
  readonly #arrays: MarkedArray[] = [];
  /** Where reading goes on. What is written behind it waits for the next round, so that a page that every turn writes is not read each time. */
  #place = { array: 0, page: 0 };
  arrayBytes = 0;

  constructor(body: SessionBody, minBytes: number) {
    this.#body = body;
    this.#minBytes = minBytes;
    body.watchers.add(this);
    this.#findArrays();
  }

  get restBytes(): number {
    return this.#arrays.reduce((sum, { marked, bytes }) => sum + Math.min(marked * PAGE_BYTES, bytes.length), 0);
  }

  /** Turns replace arrays, and upgrades replace all of them. */
  #findArrays(): void {
    for (const array of largeArraysOf(this.#body.raw, this.#minBytes)) {
      if (this.#numbers.has(array)) continue;
      this.#numbers.set(array, this.#arrays.length);
      const pages = Math.ceil(array.byteLength / PAGE_BYTES);
      this.#arrays.push({ bytes: bytesOf(array), marks: new Uint8Array(pages).fill(1), marked: pages });
      this.arrayBytes += array.byteLength;
    }
  }

  next(maxBytes: number): ArrayPiece | null {
    const marked = this.#seek();
    if (marked === null) return null;
    const { bytes, marks } = marked;
    const { array, page: first } = this.#place;
    const most = Math.max(1, Math.floor(maxBytes / PAGE_BYTES));
    let end = first;
    while (end < marks.length && end - first < most && marks[end] === 1) end++;
    marks.fill(0, first, end);
    marked.marked -= end - first;
    this.#place = { array, page: end };
    const offset = first * PAGE_BYTES;
    return { array, arrayBytes: bytes.length, offset, bytes: bytes.subarray(offset, end * PAGE_BYTES) };
  }

  /** Moves on to the next page that is marked, from the last array to the first. */
  #seek(): MarkedArray | null {
    for (let tried = 0; tried <= this.#arrays.length; tried++) {
      const { array, page } = this.#place;
      const marked = this.#arrays[array];
      const found = marked === undefined || marked.marked === 0 ? -1 : marked.marks.indexOf(1, page);
      if (marked !== undefined && found >= 0) {
        this.#place = { array, page: found };
        return marked;
      }
      this.#place = { array: array + 1 < this.#arrays.length ? array + 1 : 0, page: 0 };
    }
    return null;
  }

  wrote(array: TypedArray, fromByte: number, toByte: number): void {
    const number = this.#numbers.get(array);
    if (number !== undefined) this.again(number, fromByte, toByte - fromByte);
  }

  again(array: number, offset: number, length: number): void {
    const marked = this.#arrays[array];
    if (marked === undefined || length <= 0) return;
    const first = Math.floor(offset / PAGE_BYTES);
    const end = Math.min(marked.marks.length, Math.ceil((offset + length) / PAGE_BYTES));
    for (let page = first; page < end; page++) {
      if (marked.marks[page] === 1) continue;
      marked.marks[page] = 1;
      marked.marked++;
    }
  }

  finish(): Uint8Array | null {
    this.#findArrays();
    if (this.#arrays.some(({ marked }) => marked > 0)) return null;
    return encodeSnapshot(this.#body, this.#body.env.clock.now(), this.#numbers);
  }

  close(): void {
    this.#body.watchers.delete(this);
  }
}
