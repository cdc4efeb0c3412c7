import { describe, expect, it } from "vitest";
import type { Mutant } from "./mutant.js";
import { lineOf, markdownTable, reportOf } from "./report.js";
import type { Finding } from "./search.js";

const mutant = (id: string, rule: number | null): Mutant => ({ id, rule, title: "does wrong", breaks: ["I2"], edits: [] });
const finding = (id: string, outcome: Finding["outcome"], seeds: number, problem?: string): Finding => ({
  mutant: mutant(id, id === "a" ? 3 : null),
  outcome,
  seeds,
  seed: outcome === "caught" ? seeds + 100 : null,
  problems: problem === undefined ? [] : [problem],
  failedSeeds: 0,
  note: "",
  elapsedMs: 1_500,
});

const FINDINGS = [
  finding("a", "caught", 40, "I2: lost"),
  finding("b", "missed", 1_000),
  finding("c", "caught", 2, "liveness: open"),
  finding("d", "caught", 9, "I4: twice"),
];

describe("the report of the mutation checks", () => {
  it("has the keys that programs read", () => {
    expect(reportOf(FINDINGS)).toMatchObject({ command: "mutations", total: 4, caught: 3, medianSeeds: 9, missed: ["b"] });
  });

  it("has no median when nothing was caught", () => {
    expect(reportOf([finding("b", "missed", 5)]).medianSeeds).toBeNull();
  });

  it("makes a row per mutant", () => {
    const rows = markdownTable(FINDINGS).split("\n");
    expect(rows).toHaveLength(6);
    expect(rows[2]).toBe("| 3 | `a` | does wrong | I2 | 40 | 140 |");
    expect(rows[3]).toBe("|  | `b` | does wrong | **missed** | 1000 |  |");
  });

  it("makes a line per mutant as it goes", () => {
    expect(lineOf(finding("a", "caught", 40, "I2: lost"))).toMatch(/^caught +\[3\] +a +40 seeds +1\.5 s +seed 140: I2: lost$/);
  });
});
