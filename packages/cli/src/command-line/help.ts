import type { Command, OptionSpec } from "./command.js";
import { COMMON_OPTIONS } from "./parse.js";

/** What `sojourn --help` prints. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command): [string, string] => [usage(command), command.summary]);
  return [
    "sojourn: run stateful sessions on many nodes, and move them while their clients stay connected",
    "",
    "Commands:",
    ...columns(rows),
    "",
    "sojourn <command> --help says more. --version prints the version.",
    "Exit codes: 0 done, 1 could not be done, 2 the command line was wrong.",
  ].join("\n");
}

/** What `sojourn <command> --help` prints. */
export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]): [string, string] => [
    optionUsage(name, spec),
    spec.summary,
  ]);
  return [
    `Usage: sojourn ${usage(command)} [options]`,
    "",
    `${command.summary}.`,
    ...(command.notes ?? []),
    "",
    "Options:",
    ...columns(options),
  ].join("\n");
}

function usage(command: Command): string {
  return [command.name, ...command.positionals].join(" ");
}

function optionUsage(name: string, { value, short }: OptionSpec): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
