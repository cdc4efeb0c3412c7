import { describe, expect, it } from "vitest";
import { environmentProblem } from "./environment.mjs";

const everything = () => true;

describe("environmentProblem", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("is content with Node.js %s", (version) => {
    expect(environmentProblem("root", everything, version)).toBeNull();
  });

  it.each(["18.20.0", "20.18.3", "20.9.0"])("refuses Node.js %s and says what is needed", (version) => {
    expect(environmentProblem("root", everything, version)).toMatch(new RegExp(`20\\.19 or newer, this is ${version}`));
  });

  it.each(["typescript", "@sojourn/core"])("asks for npm ci when %s is not installed", (name) => {
    expect(environmentProblem("root", (path) => !path.includes(name), "20.19.0")).toContain("npm ci");
  });
});
