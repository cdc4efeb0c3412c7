import type { LeaseBook } from "./lease.js";

/** What is true of a lease, as its two threads share it. */
interface Cells {
  /** Microseconds on the machine's monotonic clock. */
  readonly times: BigInt64Array;
  readonly flags: Int32Array;
}

const VALID_UNTIL = 0;
const LAST_TICK = 1;
const ENDED = 0;
const BYTES = 2 * BigInt64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT;

/** The monotonic clock that all threads of a process share, in milliseconds. Where `performance.now` starts is each thread's own affair. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * One lease in memory that the thread which renews it and the node's own thread both see: until when it is good, whether the directory
 * has ended it, and when the node's event loop last went round. Times are on the clock of `sharedNowMs`.
 */
export class SharedLease implements LeaseBook {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Cells;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#cells = { times: new BigInt64Array(buffer, 0, 2), flags: new Int32Array(buffer, 2 * BigInt64Array.BYTES_PER_ELEMENT, 1) };
  }

  validUntilMs(): number {
    return this.#read(VALID_UNTIL);
  }
  extend(untilMs: number): void {
    if (untilMs > this.#read(VALID_UNTIL)) this.#write(VALID_UNTIL, untilMs);
  }

  get ended(): boolean {
    return Atomics.load(this.#cells.flags, ENDED) !== 0;
  }
  end(): void {
    Atomics.store(this.#cells.flags, ENDED, 1);
  }

  /** The event loop has gone round. */
  tick(): void {
    this.#write(LAST_TICK, sharedNowMs());
  }
  lastTickMs(): number {
    return this.#read(LAST_TICK);
  }

  #read(cell: number): number {
    return Number(Atomics.load(this.#cells.times, cell)) / 1_000;
  }
  #write(cell: number, ms: number): void {
    Atomics.store(this.#cells.times, cell, BigInt(Math.floor(ms * 1_000)));
  }
}

/**
 * The difference between a thread's clock and the shared one. It cannot be read exactly: `ahead` never makes a time that is carried
 * over from the shared clock later than it is, `behind` never one that is carried over to it.
 */
export function measureOffset(now: () => number, shared: () => number = sharedNowMs): { readonly ahead: number; readonly behind: number } {
  let best = { ahead: Number.POSITIVE_INFINITY, behind: Number.NEGATIVE_INFINITY };
  for (let i = 0; i < 8; i++) {
    const before = now();
    const at = shared();
    const after = now();
    if (after - before < best.ahead - best.behind) best = { ahead: at - before, behind: at - after };
  }
  return best;
}
