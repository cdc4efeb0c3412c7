/**
 * A link's generation counts its attaches. Generations of one numbering of its messages lie within one span, and each new numbering begins
 * in a later one, so that who holds only a generation can tell whether two of them speak of the same messages.
 */
const SPAN = 2 ** 20;

/** Where a link begins when `floor` is the highest generation of any that was before it. */
export function firstGenerationAfter(floor: number): number {
  return floor === 0 ? 1 : nextSpan(floor - (floor % SPAN)) + 1;
}

/** So much of what a client names counts: even one that lies leaves 2^32 spans. */
const MAX_NAMED = 2 ** 52;

/** What a client's word on the generation of its latest welcome counts for. */
export function namedGeneration(generation: number): number {
  return Math.min(generation, MAX_NAMED);
}

/** The same attach in the next span: attaches that a lost branch of the session cannot have come to. */
export function nextSpan(generation: number): number {
  return generation + SPAN;
}

/** Whether two generations of a link may share their numbers. */
export function sameNumbering(one: number, other: number): boolean {
  return Math.floor(one / SPAN) === Math.floor(other / SPAN);
}
