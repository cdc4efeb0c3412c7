import { SojournError } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import type { Command, CommandInput } from "./command.js";
import { durationOption, wholeOption } from "./parse.js";
import { runCommandLine } from "./run.js";

/** Runs one command line on a command that takes a bit of everything. */
async function run(args: string[], body: (input: CommandInput) => number = () => 0) {
  const greet: Command = {
    name: "greet",
    summary: "Greet somebody",
    positionals: ["<whom>", "[how]"],
    options: {
      loud: { summary: "louder", short: "l" },
      times: { value: "<count>", summary: "how often" },
      pause: { value: "<time>", summary: "between" },
    },
    run: async (input) => body(input),
  };
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line), env: {}, cwd: "." };
  const code = await runCommandLine([greet], "1.2.3", args, io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("a command line", () => {
  test("gives a command its input and ends with its exit code", async () => {
    let seen: CommandInput | undefined;
    const { code } = await run(["greet", "world", "-l", "--times", "3", "--pause=2s", "kindly"], (input) => {
      seen = input;
      expect(wholeOption(input, "times", 1, 1, 9)).toBe(3);
      expect(durationOption(input, "pause")).toBe(2_000);
      return 7;
    });
    expect(code).toBe(7);
    expect(seen).toEqual({
      positionals: ["world", "kindly"],
      switches: new Set(["loud"]),
      values: new Map([
        ["times", "3"],
        ["pause", "2s"],
      ]),
    });
  });

  test("takes what follows -- as it is", async () => {
    const { code } = await run(["greet", "--", "--loud"], ({ positionals }) => (positionals[0] === "--loud" ? 0 : 1));
    expect(code).toBe(0);
  });

  test.each([
    [["greet"], "<whom> is missing"],
    [["greet", "a", "b", "c"], '"c" is too much: greet takes <whom> [how]'],
    [["greet", "a", "--luod"], "greet has no option --luod; did you mean --loud?"],
    [["greet", "a", "--zzz"], "greet has no option --zzz"],
    [["greet", "a", "--constructor"], "greet has no option --constructor"],
    [["greet", "a", "--loud=yes"], '--loud takes no value, but was given "yes"'],
    [["greet", "a", "--times"], "--times needs a value: --times <count>"],
    [["greet", "a", "--times", "--loud"], "--times needs a value"],
    [["greet", "a", "--times="], "--times needs a value"],
    [["gret"], 'there is no command "gret"; did you mean "greet"?'],
    [["fly"], 'there is no command "fly"; there are: greet'],
  ])("%o is wrong", async (args, says) => {
    const { code, out, err } = await run(args);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(`sojourn: E_CONFIG_INVALID: ${says}`);
    expect(err).toMatch(/`sojourn (greet )?--help` says how\.$/);
    const json = await run([...args.filter((arg) => arg !== "--json"), "--json"]);
    if (!args.at(-1)?.startsWith("--times")) expect(JSON.parse(json.out)).toMatchObject({ error: { code: "E_CONFIG_INVALID" } });
  });

  test.each(["0", "10", "1.5", "-1", "1e1", "many"])("--times %s is wrong", async (value) => {
    const { code, err } = await run(["greet", "a", `--times=${value}`], (input) => wholeOption(input, "times", 1, 1, 9));
    expect([code, err]).toMatchObject([2, expect.stringContaining(`--times must be a whole number from 1 to 9, not "${value}"`)]);
  });

  test.each(["30", "s", "0s", "2h", "1 s", "-1s"])("--pause %s is wrong", async (value) => {
    const { code, err } = await run(["greet", "a", `--pause=${value}`], (input) => durationOption(input, "pause") ?? 0);
    expect([code, err]).toMatchObject([2, expect.stringContaining("--pause must be a time from 1ms to 1h")]);
  });

  test.each([
    ["500ms", 500],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
  ])("--pause %s is %i ms", async (value, ms) => {
    await run(["greet", "a", "--pause", value], (input) => {
      expect(durationOption(input, "pause")).toBe(ms);
      return 0;
    });
  });

  test("tells an error by its code, to people and to programs", async () => {
    const refuse = () => {
      throw new SojournError("E_NODE_UNKNOWN", "no mars", { node: "mars" });
    };
    expect(await run(["greet", "a"], refuse)).toEqual({ code: 1, out: "", err: "sojourn: E_NODE_UNKNOWN: no mars" });
    const { code, out, err } = await run(["greet", "a", "--json"], refuse);
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out)).toEqual({ error: { code: "E_NODE_UNKNOWN", message: "no mars", details: { node: "mars" } } });
  });

  test("shows the trace of a defect", async () => {
    const { code, err } = await run(["greet", "a"], () => {
      throw new TypeError("x is not a function");
    });
    expect(code).toBe(1);
    expect(err).toMatch(/^sojourn: E_INTERNAL: .*\nTypeError: x is not a function\n +at /);
  });

  test("helps", async () => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const { code, out } = await run(args);
      expect([code, out]).toMatchObject([0, expect.stringContaining("greet <whom> [how]  Greet somebody")]);
    }
    for (const args of [
      ["greet", "--help"],
      ["greet", "a", "-h"],
      ["help", "greet"],
    ]) {
      const { code, out } = await run(args);
      expect(code).toBe(0);
      expect(out).toContain("Usage: sojourn greet <whom> [how] [options]");
      expect(out).toMatch(/^ {2}-l, --loud +louder$/m);
      expect(out).toMatch(/^ {2}--times <count> +how often$/m);
      expect(out).toMatch(/^ {2}--json +print JSON/m);
    }
    expect(await run([])).toMatchObject({ code: 2, out: "", err: expect.stringContaining("greet <whom>") });
    expect(await run(["--version"])).toEqual({ code: 0, out: "1.2.3", err: "" });
  });
});
