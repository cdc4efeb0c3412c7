import type { Command } from "../command-line/command.js";
import { wholeOption } from "../command-line/parse.js";
import { DEFAULT_SHOWN, renderProfile } from "../profile/render.js";
import { ask, TARGET_OPTIONS } from "../target.js";

const MAX_SHOWN = 200;

/** `sojourn profile` */
export const profile: Command = {
  name: "profile",
  summary: "Show what the sessions of a cluster are like: sizes, changes, turns, moves, times",
  positionals: [],
  options: {
    kind: { value: "<kind>", summary: "only this kind of session" },
    node: { value: "<node>", summary: "only what this node knows" },
    limit: { value: "<count>", summary: `list so many of the busiest sessions (default ${DEFAULT_SHOWN}, up to ${MAX_SHOWN})` },
    ...TARGET_OPTIONS,
  },
  notes: ["docs/profiling.md says what the numbers mean."],
  async run(input, io) {
    const kind = input.values.get("kind");
    const node = input.values.get("node");
    const limit = wholeOption(input, "limit", DEFAULT_SHOWN, 0, MAX_SHOWN);
    const answer = await ask(input, io, {
      command: "profile",
      limit,
      ...(kind !== undefined && { kind }),
      ...(node !== undefined && { node }),
    });
    io.out(input.switches.has("json") ? JSON.stringify(answer) : renderProfile(answer));
    return 0;
  },
};
