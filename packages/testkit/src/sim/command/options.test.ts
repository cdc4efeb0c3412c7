import { describe, expect, it } from "vitest";
import { parseSimOptions } from "./options.js";

describe("the flags of the simulator", () => {
  it("runs a thousand seeds unless told otherwise", () => {
    expect(parseSimOptions(["--jobs", "3"])).toEqual({
      do: "hunt",
      hunt: { seeds: 1_000, first: 1, forMs: Number.POSITIVE_INFINITY, jobs: 3 },
      json: false,
    });
  });

  it("runs as many as there is time for", () => {
    const task = parseSimOptions(["--for", "30m", "--first", "7", "--json"]);
    expect(task).toMatchObject({ do: "hunt", json: true, hunt: { first: 7, forMs: 1_800_000, seeds: 0xffff_ffff - 7 } });
  });

  it("replays a seed or a plan, with one session or all", () => {
    expect(parseSimOptions(["--replay", "12"])).toEqual({ do: "replay", of: { seed: 12 }, session: null, json: false });
    expect(parseSimOptions(["--replay", "12", "--session", "s1"])).toMatchObject({ session: "swarm/s1" });
    expect(parseSimOptions(["--plan", "x.json", "--session", "swarm/s0"])).toMatchObject({ of: { file: "x.json" }, session: "swarm/s0" });
  });

  it("shrinks what it replays, and nothing else", () => {
    const task = parseSimOptions(["--replay", "12", "--shrink", "--out", "small.json"]);
    expect(task).toMatchObject({ do: "shrink", of: { seed: 12 }, out: "small.json" });
    expect(() => parseSimOptions(["--shrink"])).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });

  it("has all sessions fail over in one way when told so", () => {
    expect(parseSimOptions(["--failover", "suspicion"])).toMatchObject({ hunt: { failover: "suspicion" } });
    expect(parseSimOptions(["--replay", "3", "--failover", "lease"])).toMatchObject({ of: { seed: 3, failover: "lease" } });
  });

  it("compares two processes", () => {
    expect(parseSimOptions(["--determinism", "100"])).toEqual({ do: "determinism", first: 1, seeds: 100, json: false });
  });

  it.each([
    [["--seeds", "0"]],
    [["--seeds", "x"]],
    [["--for", "5"]],
    [["--replay", "-1"]],
    [["--jobs", "0"]],
    [["--failover", "never"]],
    [["--what"]],
    [["extra"]],
  ])("refuses %j", (args) => {
    expect(() => parseSimOptions(args)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });
});
