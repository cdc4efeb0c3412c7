import type { Command } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn strategy` */
export const strategy: Command = {
  name: "strategy",
  summary: "Give a session another strategy while it runs: replica, hybrid or snapshot",
  positionals: ["<session>", "<strategy>"],
  options: TARGET_OPTIONS,
  notes: ['Where nodes choose (`strategy: "auto"`), it holds until they judge the session again.'],
  async run(input, io) {
    const [session = "", to = ""] = input.positionals;
    // Whether there is such a strategy is the node's to say.
    const report = await ask(input, io, { command: "strategy", session, strategy: to as "replica" });
    if (input.switches.has("json")) {
      io.out(JSON.stringify(report));
      return 0;
    }
    const { owner, from, changed, tookMs } = report;
    io.out(
      changed
        ? `${session} on ${owner} went from ${from} to ${report.to} in ${Math.round(tookMs)} ms`
        : `${session} on ${owner} is ${to} already`,
    );
    return 0;
  },
};
