import { SeededRandom } from "../seeded-random.js";

/** What a plan is drawn with. */
export class Dice extends SeededRandom {
  /** Between the two, small values as likely as great ones by ratio. */
  log(from: number, to: number): number {
    return from * (to / from) ** this.next();
  }
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }
}
