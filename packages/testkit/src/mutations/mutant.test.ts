import { describe, expect, it } from "vitest";
import { applyEdits } from "./mutant.js";

const module = "core/ownership/owner";

describe("edits of a mutant", () => {
  it("replaces what stands there once, whatever the white space", () => {
    const text = "if (a)\n        return;\nb($1);";
    expect(applyEdits(text, [{ module, find: "if (a) return;", replace: "c('$&');" }])).toBe("c('$&');\nb($1);");
  });

  it("makes one edit after another", () => {
    const edits = [
      { module, find: "a();", replace: "b();" },
      { module, find: "b(); c();", replace: "d();" },
    ];
    expect(applyEdits("a(); c();", edits)).toBe("d();");
  });

  it.each([
    ["is gone", "b();"],
    ["stands there twice", "a(); a();"],
  ])("refuses when what it looks for %s", (_case, text) => {
    expect(() => applyEdits(text, [{ module, find: "a();", replace: "" }])).toThrow(module);
  });
});
