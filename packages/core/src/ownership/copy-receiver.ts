import { SojournError } from "../errors/sojourn-error.js";
import type { Limits } from "../limits/catalogue.js";
import type { Crc32 } from "../ports/checksum.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { BaseAssembly } from "./base-assembly.js";

/** A copy that is whole: the snapshot and the arrays that came apart from it. */
export interface ReceivedCopy {
  readonly snapshot: Uint8Array;
  /** Of the snapshot and the arrays. */
  readonly bytes: number;
  readonly apart: readonly Uint8Array<ArrayBuffer>[];
}

/** Pieces of one live copy. */
interface Arriving {
  readonly copy: number;
  readonly epoch: number;
  readonly arrays: Uint8Array<ArrayBuffer>[];
  /** All pieces up to this one are there, or were given up by their sender. */
  seq: number;
  /** Pieces below were given up unless they had come: what they held comes behind them. */
  floor: number;
}

/** A snapshot whose pieces were given up meanwhile is late, whatever of them has come. */
function hasAll({ seq, floor }: Arriving, { pieces }: PeerMessageOf<"base">): boolean {
  return seq === pieces && floor <= pieces;
}

/** The standby's side of a copy that arrives in chunks and pieces, one copy at a time. */
export class CopyReceiver {
  readonly #limits: Limits;
  readonly #crc32: Crc32;
  #base: BaseAssembly | null = null;
  #arriving: Arriving | null = null;

  constructor(limits: Limits, crc32: Crc32) {
    this.#limits = limits;
    this.#crc32 = crc32;
  }

  /** A copy has begun to arrive. */
  get busy(): boolean {
    return this.#base !== null || this.#arriving !== null;
  }

  /** Memory that is held for it. */
  get bytes(): number {
    return (this.#base?.totalBytes ?? 0) + (this.#arriving?.arrays.reduce((sum, { length }) => sum + length, 0) ?? 0);
  }

  /** Up to which piece that copy is here; 0 when nothing of it is. Owners number their copies by themselves: the epoch tells them apart. */
  arrived({ copy, epoch }: { readonly copy: number; readonly epoch: number }): number {
    return this.#arriving?.copy === copy && this.#arriving.epoch === epoch ? this.#arriving.seq : 0;
  }

  /**
   * Takes in a piece that follows those that are here; every other is left aside and comes again.
   * @returns whether more memory is held for it than before
   * @throws SojournError `E_FRAME_MALFORMED` for what fits no array, `E_FRAME_TOO_LARGE`
   */
  piece(message: PeerMessageOf<"piece">): boolean {
    const { copy, epoch, seq, floor, array, arrayBytes, offset, chunk } = message;
    let arriving = this.#arriving;
    if (arriving === null || arriving.copy !== copy || arriving.epoch !== epoch) {
      if (seq !== 1 || (arriving !== null && arriving.epoch === epoch && arriving.copy > copy)) return false;
      arriving = { copy, epoch, arrays: [], seq: 0, floor: 1 };
      this.#arriving = arriving;
      this.#base = null;
    }
    arriving.floor = Math.max(arriving.floor, floor);
    if (floor - 1 > arriving.seq) arriving.seq = floor - 1;
    if (seq !== arriving.seq + 1) return false;
    let bytes = arriving.arrays[array];
    const first = bytes === undefined;
    if (bytes === undefined) {
      if (array !== arriving.arrays.length) throw new SojournError("E_FRAME_MALFORMED", `array ${array} of a copy is out of place`);
      if (this.bytes + arrayBytes > this.#limits.maxSnapshotBytes) {
        throw new SojournError("E_FRAME_TOO_LARGE", `a session of more than ${this.bytes + arrayBytes} bytes`);
      }
      bytes = new Uint8Array(arrayBytes);
      arriving.arrays.push(bytes);
    }
    if (bytes.length !== arrayBytes || offset + chunk.length > bytes.length) {
      throw new SojournError("E_FRAME_MALFORMED", "a piece of an array is out of place");
    }
    bytes.set(chunk, offset);
    arriving.seq = seq;
    return first;
  }

  /**
   * Takes in a chunk of the snapshot.
   * @returns the whole copy once it is complete; null before
   * @throws SojournError `E_FRAME_TOO_LARGE`, `E_FRAME_MALFORMED`, `E_FRAME_CHECKSUM`
   */
  chunk(message: PeerMessageOf<"base">): ReceivedCopy | null {
    const { copy, epoch } = message;
    const arriving = copy === 0 ? null : this.#arriving;
    if (copy !== 0 && (arriving?.copy !== copy || arriving.epoch !== epoch || !hasAll(arriving, message))) return null;
    if (this.#base === null || !this.#base.matches(message)) {
      if (message.offset !== 0) return null;
      if (copy === 0) this.#arriving = null;
      this.#base = new BaseAssembly(message, this.#limits.maxSnapshotBytes);
    }
    const snapshot = this.#base.add(message, this.#crc32);
    if (snapshot === null) return null;
    const { bytes } = this;
    this.drop();
    return { snapshot, bytes, apart: arriving?.arrays ?? [] };
  }

  /** Nothing will come of it. */
  drop(): void {
    this.#base = null;
    this.#arriving = null;
  }
}
