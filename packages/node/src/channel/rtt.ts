/** Weight of a new measurement. */
const GAIN = 1 / 8;

/** A smoothed round-trip time. */
export class RttEstimate {
  #ms: number | undefined;

  get ms(): number | undefined {
    return this.#ms;
  }

  add(sampleMs: number): void {
    this.#ms = this.#ms === undefined ? sampleMs : this.#ms + (sampleMs - this.#ms) * GAIN;
  }
}
