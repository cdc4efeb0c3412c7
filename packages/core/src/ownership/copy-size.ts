import type { SessionCell } from "../session/session-port.js";
import type { SlotPort } from "./role.js";

/** Growth that is told to the host; less is noise. */
const TOLD_BYTES = 16_384;
/** A copy is encoded anew to see how large it is only after it has taken in this much, and as much as it is large. */
const MEASURED_BYTES = 262_144;

/**
 * How much memory a standby's copy takes, near enough for a bound: its encoded size when it was last whole, and what came on top. Changes
 * replace as often as they add, so it is measured now and then, at a cost in proportion to what came in meanwhile.
 */
export class CopySize {
  readonly #slot: SlotPort;
  #grownBytes = 0;
  #untoldBytes = 0;

  constructor(slot: SlotPort) {
    this.#slot = slot;
  }

  /** The whole session, encoded, is of this size. */
  taken(bytes: number): void {
    this.#slot.sizeBytes = bytes;
    this.#grownBytes = 0;
    this.#tell();
  }

  /** A change of this size was applied. */
  grew(bytes: number, cell: SessionCell): void {
    this.#grownBytes += bytes;
    this.#untoldBytes += bytes;
    if (this.#grownBytes > Math.max(MEASURED_BYTES, this.#slot.sizeBytes)) this.taken(cell.snapshot().length);
    else if (this.#untoldBytes > TOLD_BYTES) this.#tell();
  }

  /** There is no copy any more. */
  gone(): void {
    this.#slot.host.noteCopy(this.#slot.key, 0);
  }

  #tell(): void {
    this.#untoldBytes = 0;
    this.#slot.host.noteCopy(this.#slot.key, Math.max(1, this.#slot.sizeBytes + this.#grownBytes));
  }
}
