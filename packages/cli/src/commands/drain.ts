import type { Command } from "../command-line/command.js";
import { durationOption } from "../command-line/parse.js";
import { ask, TARGET_OPTIONS } from "../target.js";

const SHOWN_SESSIONS = 20;

/** `sojourn drain` */
export const drain: Command = {
  name: "drain",
  summary: "Cordon a node and move all its sessions to the others",
  positionals: ["<node>"],
  options: {
    to: { value: "<node>", summary: "move them all to this node (default: spread over all)" },
    deadline: { value: "<time>", summary: "give up on what is left after this time, e.g. 30s (the default)" },
    ...TARGET_OPTIONS,
  },
  notes: ["The node stays in the cluster, cordoned; `sojourn uncordon <node>` has it take sessions again."],
  async run(input, io) {
    const [node = ""] = input.positionals;
    const to = input.values.get("to");
    const deadlineMs = durationOption(input, "deadline");
    const report = await ask(input, io, {
      command: "drain",
      node,
      ...(to !== undefined && { to }),
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    const { moved, left, elapsedMs } = report;
    if (input.switches.has("json")) {
      io.out(JSON.stringify(report));
    } else {
      io.out(`${node} is cordoned; ${moved} sessions moved away in ${Math.round(elapsedMs)} ms`);
      if (left.length > 0) {
        const more = left.length > SHOWN_SESSIONS ? " …" : "";
        io.out(`${left.length} could not be moved in time and are still there: ${left.slice(0, SHOWN_SESSIONS).join(", ")}${more}`);
      }
    }
    return left.length === 0 ? 0 : 1;
  },
};
