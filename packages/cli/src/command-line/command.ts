/** Where a command reads from and writes to. */
export interface CommandIo {
  /** Standard output, with a line end added. */
  readonly out: (line: string) => void;
  /** Standard error, with a line end added. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** An option of a command; `value` names what follows it, without it the option is a switch. */
export interface OptionSpec {
  readonly summary: string;
  readonly value?: string;
  readonly short?: string;
}

/** What was given on the command line. */
export interface CommandInput {
  readonly positionals: readonly string[];
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
}

/** One command of the CLI. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Names of what must follow, in order, e.g. `<session>`; an optional one is in brackets and comes last. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** More lines for its help. */
  readonly notes?: readonly string[];
  /** Resolves with the exit code. @throws SojournError (rejects) why it could not be done */
  readonly run: (input: CommandInput, io: CommandIo) => Promise<number>;
}

/** The command line was wrong: exit code 2, and a hint where to read on. */
export class UsageError extends Error {
  readonly code = "E_CONFIG_INVALID";
}
