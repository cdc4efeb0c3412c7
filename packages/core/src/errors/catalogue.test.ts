import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERRORS } from "./catalogue.js";

const PAGE = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");

/** The rows of the page as `[code, meaning]`, in order. */
function documented(): [string, string][] {
  return [...PAGE.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map((row) => [row[1] ?? "", (row[2] ?? "").replaceAll("\\|", "|")]);
}

describe("error catalogue", () => {
  it("equals docs/errors.md both ways (mend with `npm run docs`)", () => {
    expect(documented()).toEqual(Object.entries(ERRORS));
  });

  it("names codes in one form and says each meaning in a sentence", () => {
    for (const [code, meaning] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^E_[A-Z]+(_[A-Z]+)*$/);
      expect(meaning, code).toMatch(/^[A-Z].{15,}\.$/);
    }
  });

  it("gives each code a meaning of its own", () => {
    const meanings = Object.values(ERRORS);
    expect(new Set(meanings).size).toBe(meanings.length);
  });
});
