import { describe, expect, it } from "vitest";
import { mutants } from "./catalogue.js";

describe("the catalogue of mutants", () => {
  it("names each once", () => {
    const ids = mutants.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  it("takes away each of the fifteen rules, and has at least 25 further bugs", () => {
    const rules = new Set(mutants.map(({ rule }) => rule));
    for (let rule = 1; rule <= 15; rule++) expect(rules, `rule ${rule}`).toContain(rule);
    expect(mutants.filter(({ rule }) => rule === null).length).toBeGreaterThanOrEqual(25);
  });

  it("says of each what it breaks", () => {
    for (const { id, breaks, edits } of mutants) {
      expect(breaks.length, id).toBeGreaterThan(0);
      expect(edits.length, id).toBeGreaterThan(0);
    }
  });
});
