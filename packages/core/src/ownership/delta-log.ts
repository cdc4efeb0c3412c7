/** The recent deltas of a session in encoded form, contiguous, bounded by bytes; the oldest go first. */
export class DeltaLog {
  readonly #maxBytes: number;
  #entries: { readonly delta: Uint8Array; readonly hashBefore: number }[] = [];
  /** Version before the first entry. */
  #from: number;
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number, version: number) {
    this.#maxBytes = maxBytes;
    this.#from = version;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The version that the first kept delta follows. */
  get fromVersion(): number {
    return this.#from + this.#head;
  }

  get toVersion(): number {
    return this.#from + this.#entries.length;
  }

  /** Appends the delta of version `toVersion + 1`. */
  push(delta: Uint8Array, hashBefore: number): void {
    this.#entries.push({ delta, hashBefore });
    this.#bytes += delta.length;
    while (this.#bytes > this.#maxBytes && this.#head < this.#entries.length) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#bytes -= this.#entries[this.#head]?.delta.length ?? 0;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#from += this.#head;
      this.#head = 0;
    }
  }

  /** Forgets everything up to `version`. */
  trim(version: number): void {
    while (this.fromVersion < version && this.#head < this.#entries.length) this.#dropOldest();
  }

  /** Starts again after `version`. */
  reset(version: number): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#from = version;
  }

  /** All deltas after `version` with the chain hash at it, or null when they are not all here. */
  since(version: number): { deltas: Uint8Array[]; hash: number | null } | null {
    if (version < this.fromVersion || version > this.toVersion) return null;
    const entries = this.#entries.slice(version - this.#from);
    return { deltas: entries.map((entry) => entry.delta), hash: entries[0]?.hashBefore ?? null };
  }
}
