import { describe, expect, test } from "vitest";
import { MAX_NODES, parseOptions } from "./options.js";

describe("the command line", () => {
  test("has the documented defaults", () => {
    expect(parseOptions([])).toEqual({
      forMs: null,
      clients: 200,
      movesPerSecond: 100,
      nodes: 3,
      messageEveryMs: 100,
      seed: 1,
      traces: null,
      json: false,
    });
  });

  test("takes every option", () => {
    const args = "--for 2.5s --clients 7 --moves-per-second 9 --nodes 4 --message-every-ms 50 --seed 11 --traces here --json".split(" ");
    expect(parseOptions(args)).toEqual({
      forMs: 2_500,
      clients: 7,
      movesPerSecond: 9,
      nodes: 4,
      messageEveryMs: 50,
      seed: 11,
      traces: "here",
      json: true,
    });
  });

  test.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
  ])("reads %s as %i ms", (text, ms) => {
    expect(parseOptions(["--for", text])).toMatchObject({ forMs: ms });
  });

  test.each([
    [["--fro", "30s"], "--fro"],
    [["--for", "30"], "--for"],
    [["--for", "0s"], "--for"],
    [["--for", "25h"], "--for"],
    [["--for", "-1s"], "--for"],
    [["--clients", "0"], "--clients"],
    [["--clients", "1.5"], "--clients"],
    [["--clients", "0x10"], "--clients"],
    [["--clients"], "--clients"],
    [["--nodes", "1"], "--nodes"],
    [["--nodes", String(MAX_NODES + 1)], "--nodes"],
    [["--moves-per-second", "many"], "--moves-per-second"],
    [["--json=yes"], "--json"],
    [["extra"], "extra"],
  ])("refuses %j and names it", (args, named) => {
    expect(() => parseOptions(args)).toThrow(
      expect.objectContaining({ code: "E_CONFIG_INVALID", message: expect.stringContaining(named) }),
    );
  });

  test("asks for help", () => {
    expect(parseOptions(["--help"])).toBe("help");
    expect(parseOptions(["-h"])).toBe("help");
  });
});
