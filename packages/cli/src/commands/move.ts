import type { Command } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn move` */
export const move: Command = {
  name: "move",
  summary: "Move a session to a node, with its clients",
  positionals: ["<session>", "<node>"],
  options: TARGET_OPTIONS,
  async run(input, io) {
    const [session = "", to = ""] = input.positionals;
    const report = await ask(input, io, { command: "move", session, to });
    if (input.switches.has("json")) {
      io.out(JSON.stringify(report));
      return 0;
    }
    const { from, epoch, blackoutMs, totalMs } = report;
    io.out(`${session} moved from ${from} to ${report.to}: blackout ${ms(blackoutMs)}, ${ms(totalMs)} in all (epoch ${epoch})`);
    return 0;
  },
};

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
