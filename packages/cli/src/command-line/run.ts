import { SojournError } from "@sojourn/core";
import { problemOf } from "@sojourn/node";
import { type Command, type CommandIo, UsageError } from "./command.js";
import { helpOf, overview } from "./help.js";
import { nearest } from "./nearest.js";
import { parseInput } from "./parse.js";

/** Exit code of a command that could not be done. */
export const FAILED = 1;
/** Exit code of a wrong command line. */
export const WRONG_USE = 2;

/** Runs one command line and resolves with the exit code; what went wrong has been said then. */
export async function runCommandLine(
  commands: readonly Command[],
  version: string,
  args: readonly string[],
  io: CommandIo,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const about = name === "help" ? commands.find((command) => command.name === rest[0]) : undefined;
    (name === undefined ? io.err : io.out)(about === undefined ? overview(commands) : helpOf(about));
    return name === undefined ? WRONG_USE : 0;
  }
  if (name === "--version" || name === "-v") {
    io.out(version);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  const json = args.includes("--json");
  if (command === undefined) {
    const names = commands.map((candidate) => candidate.name);
    const meant = nearest(name, names);
    const hint = meant === null ? `there are: ${names.join(", ")}` : `did you mean "${meant}"?`;
    return fail(new UsageError(`there is no command "${name}"; ${hint}`), "sojourn --help", json, io);
  }
  try {
    const input = parseInput(command, rest);
    if (!input.switches.has("help")) return await command.run(input, io);
    io.out(helpOf(command));
    return 0;
  } catch (error) {
    return fail(error, `sojourn ${name} --help`, json, io);
  }
}

function fail(thrown: unknown, help: string, json: boolean, io: CommandIo): number {
  const usage = thrown instanceof UsageError;
  const error = usage ? { code: thrown.code, message: thrown.message, details: {} } : problemOf(thrown);
  if (json) io.out(JSON.stringify({ error }));
  else {
    io.err(`sojourn: ${error.code}: ${error.message}`);
    if (usage) io.err(`\`${help}\` says how.`);
    if (!usage && !(thrown instanceof SojournError)) io.err(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  return usage ? WRONG_USE : FAILED;
}
