/** Weight of a new measurement that is longer than the estimate. */
const GAIN = 1 / 8;

/** A round-trip time: the shortest of late. A busy event loop makes samples longer, never shorter, so a shorter one is believed at once. */
export class RttEstimate {
  #ms: number | undefined;

  get ms(): number | undefined {
    return this.#ms;
  }

  add(sampleMs: number): void {
    this.#ms = this.#ms === undefined || sampleMs < this.#ms ? sampleMs : this.#ms + (sampleMs - this.#ms) * GAIN;
  }
}
