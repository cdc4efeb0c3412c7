import type { Strategy } from "./strategy.js";

const KB = 1_000;

/** One line of the checklist as it answers for a workload. */
export interface ChecklistLine {
  readonly about: "size" | "moves" | "durability" | "memory";
  /** What was found, in words. */
  readonly says: string;
  /** The strategies it speaks for. */
  readonly votes: readonly Strategy[];
}

/** A line that depends on one number. `answers` are ordered by where they begin. */
interface NumberLine {
  readonly about: ChecklistLine["about"];
  readonly answers: readonly { readonly from: number; readonly says: string; readonly votes: readonly Strategy[] }[];
}

const SIZE: NumberLine = {
  about: "size",
  answers: [
    { from: 0, says: "under 10 KB", votes: ["replica", "hybrid"] },
    { from: 10 * KB, says: "10 to 100 KB", votes: ["hybrid"] },
    { from: 100 * KB, says: "over 100 KB", votes: ["snapshot"] },
  ],
};

const MOVES: NumberLine = {
  about: "moves",
  answers: [
    { from: 0, says: "under 10 moves a second", votes: ["snapshot"] },
    { from: 10, says: "10 to 100 moves a second", votes: ["hybrid"] },
    { from: 100, says: "over 100 moves a second", votes: ["replica"] },
  ],
};

const STRONG: ChecklistLine = { about: "durability", says: "strong: copies that every turn waits for", votes: ["replica"] };

const memoryLine = (tightShare: number): NumberLine => ({
  about: "memory",
  answers: [
    { from: 0, says: "", votes: [] },
    { from: tightShare, says: "memory is tight", votes: ["snapshot", "hybrid"] },
  ],
});

/** What the checklist asks. `memoryShare` is what `replica` would take of the memory there is, 0 when that is no matter. */
export interface ChecklistInput {
  readonly stateBytes: number;
  readonly movesPerSec: number;
  readonly strong: boolean;
  readonly memoryShare: number;
  readonly tightShare: number;
}

/** The lines that have something to say. */
export function checklist({ stateBytes, movesPerSec, strong, memoryShare, tightShare }: ChecklistInput): ChecklistLine[] {
  const lines = [answerAt(SIZE, stateBytes), answerAt(MOVES, movesPerSec)];
  if (strong) lines.push(STRONG);
  const memory = answerAt(memoryLine(tightShare), memoryShare);
  if (memory.votes.length > 0) lines.push(memory);
  return lines;
}

/** How many lines speak for something else, at the least and at the most, when the numbers may be anywhere between two workloads. */
export function votesAgainst(
  strategy: Strategy,
  low: ChecklistInput,
  high: ChecklistInput,
): { readonly min: number; readonly max: number } {
  const numbers: readonly (readonly [NumberLine, number, number])[] = [
    [SIZE, low.stateBytes, high.stateBytes],
    [MOVES, low.movesPerSec, high.movesPerSec],
    [memoryLine(low.tightShare), low.memoryShare, high.memoryShare],
  ];
  let min = 0;
  let max = 0;
  for (const [line, from, to] of numbers) {
    const against = answersBetween(line, from, to).map((votes) => votes.length > 0 && !votes.includes(strategy));
    if (against.every((is) => is)) min++;
    if (against.some((is) => is)) max++;
  }
  if (low.strong && !STRONG.votes.includes(strategy)) {
    min++;
    max++;
  }
  return { min, max };
}

function answerAt({ about, answers }: NumberLine, value: number): ChecklistLine {
  let found = answers[0];
  for (const answer of answers) if (value >= answer.from) found = answer;
  return { about, says: found?.says ?? "", votes: found?.votes ?? [] };
}

function answersBetween({ answers }: NumberLine, from: number, to: number): (readonly Strategy[])[] {
  return answers
    .filter((answer, i) => answer.from <= to && (answers[i + 1]?.from ?? Number.POSITIVE_INFINITY) > from)
    .map(({ votes }) => votes);
}
