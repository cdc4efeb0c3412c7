import type { Command } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn where` */
export const where: Command = {
  name: "where",
  summary: "Say which node owns a session",
  positionals: ["<session>"],
  options: TARGET_OPTIONS,
  async run(input, io) {
    const [session = ""] = input.positionals;
    const answer = await ask(input, io, { command: "where", session });
    if (input.switches.has("json")) {
      io.out(JSON.stringify(answer));
      return 0;
    }
    const moving = answer.heir === null ? "" : `, on its way to ${answer.heir}`;
    const copies = answer.inSync.length === 0 ? "" : `, copies on ${answer.inSync.join(", ")}`;
    io.out(`${session} is on ${answer.owner} (epoch ${answer.epoch}${copies}${moving})`);
    return 0;
  },
};
