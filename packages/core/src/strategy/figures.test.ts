import { expect, test } from "vitest";
import { FIGURES, resolveFigures } from "./figures.js";

test("every figure says where it comes from", () => {
  for (const { value, basis, source } of Object.values(FIGURES)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(source).not.toBe("");
    expect(["measured", "published", "assumed"]).toContain(basis);
    // What was measured names its command.
    if (basis === "measured") expect(source).toMatch(/npm run bench -- (costs|handover)/);
  }
});

test("one's own numbers replace those of the table and count as given", () => {
  const figures = resolveFigures({ "ram.usdPerGbMonth": 3 });
  expect(figures["ram.usdPerGbMonth"]).toMatchObject({ value: 3, basis: "given" });
  expect(figures["disk.appendMs"]).toBe(FIGURES["disk.appendMs"]);
});

test.each([
  [{ "ram.usdPerGb": 1 }, 'no figure "ram.usdPerGb"'],
  [{ constructor: 1 }, 'no figure "constructor"'],
  [{ "ram.usdPerGbMonth": "3" }, "a number from 0 up"],
  [{ "ram.usdPerGbMonth": -1 }, "a number from 0 up"],
  [{ "network.bytesPerSec": 0 }, "more than 0"],
])("%o is refused", (own, says) => {
  expect(() => resolveFigures(own)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID", message: expect.stringContaining(says) }));
});
