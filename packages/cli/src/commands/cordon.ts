import type { Command } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn cordon` */
export const cordon = cordonCommand("cordon", "Let a node take no new sessions", true);
/** `sojourn uncordon` */
export const uncordon = cordonCommand("uncordon", "Let a node take sessions again", false);

function cordonCommand(name: string, summary: string, cordoned: boolean): Command {
  return {
    name,
    summary,
    positionals: ["<node>"],
    options: TARGET_OPTIONS,
    async run(input, io) {
      const [node = ""] = input.positionals;
      const answer = await ask(input, io, { command: "cordon", node, cordoned });
      io.out(input.switches.has("json") ? JSON.stringify(answer) : `${node} takes ${cordoned ? "no new sessions" : "sessions again"}`);
      return 0;
    },
  };
}
