import { INTERLEAVINGS } from "./catalogue.js";

/** The table of docs/simulator.md: every case, and what must really have happened for it to count. */
export function casesTable(): string {
  const rows = INTERLEAVINGS.map(
    ({ id, name, seen, notYet }) => `| ${id} | ${name} | ${notYet === undefined ? seen : `not yet: ${notYet}`} |`,
  );
  return ["| case | what comes together | counts when |", "|---|---|---|", ...rows].join("\n");
}
