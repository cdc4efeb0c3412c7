import { invariantOf } from "./invariant-of.js";
import type { Finding } from "./search.js";

/** What `--json` prints as its last line. */
export interface MutationsReport {
  readonly command: "mutations";
  readonly total: number;
  readonly caught: number;
  /** Over those that were caught; null when none was. */
  readonly medianSeeds: number | null;
  /** Ids. */
  readonly missed: readonly string[];
  readonly mutants: readonly {
    readonly id: string;
    readonly rule: number | null;
    readonly invariant: string | null;
    readonly seeds: number;
    /** The one that showed it. */
    readonly seed: number | null;
    readonly outcome: Finding["outcome"];
    readonly failedSeeds: number;
  }[];
}

/** Sums a run up. */
export function reportOf(findings: readonly Finding[]): MutationsReport {
  const caught = findings.filter((finding) => finding.outcome === "caught");
  const seeds = caught.map((finding) => finding.seeds).sort((a, b) => a - b);
  return {
    command: "mutations",
    total: findings.length,
    caught: caught.length,
    medianSeeds: seeds[Math.floor((seeds.length - 1) / 2)] ?? null,
    missed: findings.filter((finding) => finding.outcome !== "caught").map((finding) => finding.mutant.id),
    mutants: findings.map(({ mutant, outcome, seeds: run, seed, problems, failedSeeds }) => ({
      id: mutant.id,
      rule: mutant.rule,
      invariant: problems[0] === undefined ? null : invariantOf(problems[0]),
      seeds: run,
      seed,
      outcome,
      failedSeeds,
    })),
  };
}

/** The table of docs/mutations.md. */
export function markdownTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ mutant, outcome, seeds, seed, problems }) => {
    const seen = outcome === "caught" ? invariantOf(problems[0] ?? "") : `**${outcome}**`;
    return `| ${mutant.rule ?? ""} | \`${mutant.id}\` | ${mutant.title} | ${seen} | ${seeds} | ${seed ?? ""} |`;
  });
  return ["| rule | mutant | what the code does wrong | invariant | seeds run | seed |", "|--:|---|---|---|--:|--:|", ...rows].join("\n");
}

/** One line for people, as soon as a mutant is through. */
export function lineOf({ mutant, outcome, seeds, seed, problems, failedSeeds, note, elapsedMs }: Finding): string {
  const rule = mutant.rule === null ? "    " : `[${mutant.rule}]`.padEnd(4);
  const why = outcome === "caught" ? `seed ${seed}: ${problems[0] ?? ""}` : note;
  const failed = failedSeeds > 0 ? ` (${failedSeeds} seeds failed)` : "";
  const seconds = (elapsedMs / 1_000).toFixed(1);
  return `${outcome.padEnd(6)} ${rule} ${mutant.id.padEnd(32)} ${String(seeds).padStart(5)} seeds ${seconds.padStart(6)} s${failed}  ${why.slice(0, 160)}`;
}
