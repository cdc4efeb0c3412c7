/** Events per second over the latest seconds. */
export class Rate {
  readonly #windowMs: number;
  readonly #marks: { readonly atMs: number; readonly count: number }[] = [];
  #sum = 0;
  #firstAtMs: number | null = null;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(atMs: number, count: number): void {
    this.#firstAtMs ??= atMs;
    this.#marks.push({ atMs, count });
    this.#sum += count;
    this.#forget(atMs);
  }

  perSecond(nowMs: number): number {
    this.#forget(nowMs);
    if (this.#firstAtMs === null) return 0;
    return (this.#sum * 1_000) / Math.max(1_000, Math.min(this.#windowMs, nowMs - this.#firstAtMs));
  }

  #forget(nowMs: number): void {
    for (let first = this.#marks[0]; first !== undefined && first.atMs < nowMs - this.#windowMs; first = this.#marks[0]) {
      this.#marks.shift();
      this.#sum -= first.count;
    }
  }
}
