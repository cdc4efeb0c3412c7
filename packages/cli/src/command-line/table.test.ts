import { expect, test } from "vitest";
import { table } from "./table.js";

test("columns are as wide as their widest cell, numbers stand to the right, no line ends in blanks", () => {
  expect(
    table(
      ["NAME", "COUNT", "NOTE"],
      [
        ["a", 5, "x"],
        ["longer", 1_000, ""],
        ["b", "-", "yes"],
      ],
    ),
  ).toBe(["NAME    COUNT  NOTE", "a           5  x", "longer   1000", "b           -  yes"].join("\n"));
});

test("without rows there are only headings", () => {
  expect(table(["A", "B"], [])).toBe("A  B");
});
