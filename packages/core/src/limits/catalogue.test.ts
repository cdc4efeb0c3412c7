import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { LIMITS, type Limits, resolveLimits } from "./catalogue.js";

const PAGE = readFileSync(new URL("../../../../docs/limits.md", import.meta.url), "utf8");
const BOUNDS = Object.entries(LIMITS);

const plain = (shown: string | undefined) => Number((shown ?? "").replaceAll(",", ""));

/** The rows of the page, in order. */
function documented() {
  return [...PAGE.matchAll(/^\| `([^`]+)` \| (\w+) \| ([\d,]+) \| ([\d,]+) – ([\d,]+) \| (.+) \|$/gm)].map((row) => ({
    name: row[1],
    unit: row[2],
    default: plain(row[3]),
    min: plain(row[4]),
    max: plain(row[5]),
    doc: row[6]?.replaceAll("\\|", "|"),
  }));
}

function unitOf(name: string): string {
  if (name.endsWith("Ms")) return "ms";
  return name.endsWith("Bytes") ? "bytes" : "count";
}

function refusal(partial: Record<string, unknown>): SojournError {
  try {
    resolveLimits(partial as Partial<Limits>); // what a program without types may pass
  } catch (error) {
    if (error instanceof SojournError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(partial)}`);
}

describe("limit catalogue", () => {
  it("equals docs/limits.md both ways (mend with `npm run docs`)", () => {
    expect(documented()).toEqual(BOUNDS.map(([name, bound]) => ({ name, unit: unitOf(name), ...bound })));
  });

  it.each(BOUNDS)("%s has a default inside a range of whole numbers", (_, bound) => {
    expect([bound.default, bound.min, bound.max].every(Number.isSafeInteger)).toBe(true);
    expect(bound.min).toBeGreaterThanOrEqual(0);
    expect(bound.default).toBeGreaterThanOrEqual(bound.min);
    expect(bound.default).toBeLessThanOrEqual(bound.max);
    expect(bound.doc).not.toBe("");
  });
});

describe("resolveLimits", () => {
  it("fills in every default", () => {
    expect(resolveLimits()).toEqual(Object.fromEntries(BOUNDS.map(([name, bound]) => [name, bound.default])));
  });

  it.each(BOUNDS)("takes %s at both ends of its range and refuses the next value", (name, bound) => {
    expect(resolveLimits({ [name]: bound.min })).toMatchObject({ [name]: bound.min });
    expect(resolveLimits({ [name]: bound.max })).toMatchObject({ [name]: bound.max });
    for (const value of [bound.min - 1, bound.max + 1]) {
      const error = refusal({ [name]: value });
      expect(error.code).toBe("E_LIMIT_INVALID");
      expect(error.details).toEqual({ name, value });
      expect(error.message).toContain(name);
    }
  });

  it.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, "2000", null])("refuses %s, which is not a whole number", (value) => {
    expect(refusal({ leaseTtlMs: value }).code).toBe("E_LIMIT_INVALID");
  });

  it("refuses unknown names, also those every object has", () => {
    expect(refusal({ leaseTtl: 1_000 }).details).toEqual({ name: "leaseTtl" });
    expect(refusal({ toString: 1 }).code).toBe("E_LIMIT_INVALID");
  });

  it("reads undefined as not given", () => {
    expect(resolveLimits({ standbys: undefined } as unknown as Partial<Limits>).standbys).toBe(LIMITS.standbys.default);
  });
});
