import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mutants } from "../packages/testkit/dist/mutations/catalogue.js";
import { applyEdits, editsByModule, type Mutant, moduleUrl } from "../packages/testkit/dist/mutations/mutant.js";
import { type SearchOptions, search } from "../packages/testkit/dist/mutations/search.js";

const BOUNDS: SearchOptions = { maxSeeds: 40, maxMsPerMutant: 100_000, maxMsPerSeed: 60_000, workers: 2 };

describe("every mutant", () => {
  it.each(mutants.map((mutant) => [mutant.id, mutant] as const))("%s can be applied to what was built", (_id, { edits }) => {
    for (const [module, of] of editsByModule(edits)) {
      const text = readFileSync(moduleUrl(module), "utf8");
      expect(applyEdits(text, of), module).not.toBe(text);
    }
  });
});

const made = (id: string, find: string, replace: string): Mutant => ({
  id,
  rule: null,
  title: id,
  breaks: ["I4"],
  edits: [{ module: "core/session/plan-turn", find, replace }],
});

describe("the search", () => {
  it("finds seeds that show mutants, in processes of their own", async () => {
    const easy = ["input-handled-twice"];
    const { findings } = await search(
      mutants.filter(({ id }) => easy.includes(id)),
      BOUNDS,
    );
    for (const { mutant, outcome, problems, note } of findings) {
      expect(outcome, `${mutant.id}: ${note}`).toBe("caught");
      expect(problems[0], mutant.id).toMatch(/^(I\d|liveness)/);
    }
  });

  it("misses a mutant that changes nothing", async () => {
    const harmless = made("harmless", 'switch (input.kind) { case "message":', 'switch (input.kind) { case "message": case "":');
    const { findings, unsoundSeeds } = await search([harmless], { ...BOUNDS, maxSeeds: 2 });
    expect(findings).toMatchObject([{ outcome: "missed", seeds: 2, failedSeeds: 0 }]);
    expect(unsoundSeeds).toEqual([]);
  });

  it("says so when a mutant cannot be applied", async () => {
    const {
      findings: [finding],
    } = await search([made("gone", "this was never there", "")], { ...BOUNDS, maxSeeds: 2 });
    expect(finding?.outcome).toBe("broken");
    expect(finding?.note).toContain("0 times instead of once");
  });
});
