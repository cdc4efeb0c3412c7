import { nodeIdOf } from "@sojourn/core";
import type { Command } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn accuse` */
export const accuse: Command = {
  name: "accuse",
  summary: "Tell the cluster that a node is down, so that its sessions go on elsewhere before its lease ends",
  positionals: ["<node>"],
  options: {
    ended: { summary: "its process has ended for certain: end its lease too, so that all of its sessions go on at once" },
    ...TARGET_OPTIONS,
  },
  notes: [
    "<node> is its id, or one of its lives (node-1#17), so that a node which has started again meanwhile is not meant.",
    "Without --ended only sessions that fail over on suspicion go on, those whose copies lack nothing; a wrong word does no harm.",
    "With --ended the word must be true. It is refused as long as another node is connected to the one that is meant.",
  ],
  async run(input, io) {
    const [node = ""] = input.positionals;
    const ended = input.switches.has("ended");
    const answer = await ask(input, io, { command: "accuse", node, ended }, nodeIdOf(node));
    if (input.switches.has("json")) {
      io.out(JSON.stringify(answer));
      return 0;
    }
    const { ref, told, silent, leaseEnded } = answer;
    io.out(
      `${told.join(", ") || "nobody"} now ${told.length === 1 ? "holds" : "hold"} ${ref} for lost${leaseEnded ? ", and its lease has ended" : ""}`,
    );
    for (const { node: id, error } of silent) io.out(`${id} did not answer: ${error.code}: ${error.message}`);
    return 0;
  },
};
