import { describe, expect, it } from "vitest";
import { PROGRAMS, setupSystem } from "./setup-system.mjs";

const [browser, ...others] = PROGRAMS.map(({ program }) => program);

/** A machine with some programs, where apt-get installs what `offers` says. */
function machine(present, { isRoot = true, offers = PROGRAMS.map((entry) => entry.package), updates = true } = {}) {
  const there = new Set(present);
  const asked = [];
  return {
    asked,
    has: (program) => there.has(program),
    isRoot,
    apt(...args) {
      asked.push(args.filter((arg) => !arg.startsWith("-")).join(" "));
      if (args[0] === "update") return updates;
      for (const entry of PROGRAMS) if (args.includes(entry.package) && offers.includes(entry.package)) there.add(entry.program);
      return true;
    },
  };
}

describe("setupSystem", () => {
  it("asks nothing of a machine that has everything", () => {
    const system = machine([browser, ...others], { isRoot: false });
    expect(setupSystem(system)).toBeNull();
    expect(system.asked).toEqual([]);
  });

  it("installs only what is missing, after an update", () => {
    const system = machine(others);
    expect(setupSystem(system)).toBeNull();
    expect(system.asked).toEqual(["update", "install chromium"]);
  });

  it("tells somebody who may not install what to run", () => {
    const system = machine([], { isRoot: false });
    expect(setupSystem(system)).toMatch(/need chromium and openssl and redis-server.*apt-get install chromium openssl redis-server/);
    expect(system.asked).toEqual([]);
  });

  it.each([
    ["apt-get that fails", { updates: false }, /^apt-get failed/],
    ["a package that does not help", { offers: [] }, /does not start/],
  ])("tells of %s", (_, options, reason) => {
    expect(setupSystem(machine([browser], options))).toMatch(reason);
  });
});
