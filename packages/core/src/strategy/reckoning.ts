import type { FigureName, Figures } from "./figures.js";
import { type Basis, weakerBasis } from "./strategy.js";

/** A number that was worked out, with what it rests on. */
export interface Estimate {
  readonly value: number;
  /** The least firm of the figures that went into it. */
  readonly basis: Basis;
  /** Those of the figures that nobody measured or published. */
  readonly assumes: readonly FigureName[];
}

/** Looks figures up and remembers which, until the number that they make is done. */
export class Reckoning {
  readonly #figures: Figures;
  #basis: Basis = "given";
  #assumes = new Set<FigureName>();

  constructor(figures: Figures) {
    this.#figures = figures;
  }

  /** The value of a figure that the number at hand rests on. */
  use(name: FigureName): number {
    const { value, basis } = this.#figures[name];
    this.#basis = weakerBasis(this.#basis, basis);
    if (basis === "assumed") this.#assumes.add(name);
    return value;
  }

  /** Adds what an estimate rests on to the number at hand. */
  of(estimate: Estimate): number {
    this.#basis = weakerBasis(this.#basis, estimate.basis);
    for (const name of estimate.assumes) this.#assumes.add(name);
    return estimate.value;
  }

  /** Ends the number at hand. */
  done(value: number): Estimate {
    const estimate: Estimate = { value, basis: this.#basis, assumes: [...this.#assumes] };
    this.#basis = "given";
    this.#assumes = new Set();
    return estimate;
  }
}
