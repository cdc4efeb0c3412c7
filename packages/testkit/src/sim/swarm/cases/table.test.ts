import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FAULTS } from "../plan.js";
import { casesTable } from "./table.js";

const page = readFileSync(new URL("../../../../../../docs/simulator.md", import.meta.url), "utf8");

it("docs/simulator.md holds the table of cases; npm run sim -- --cases prints it", () => {
  expect(page).toContain(casesTable());
});

it("docs/simulator.md names every fault", () => {
  for (const fault of FAULTS) expect(page).toContain(`\`${fault}\``);
});
