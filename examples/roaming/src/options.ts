import { durationFlag, parseFlags, wholeFlag } from "@sojourn/testkit/flags";

/** What the demonstration was asked to do. */
export interface RoamingOptions {
  /** Null: until Ctrl-C. */
  readonly forMs: number | null;
  readonly clients: number;
  readonly movesPerSecond: number;
  readonly nodes: number;
  readonly messageEveryMs: number;
  readonly seed: number;
  /** Folder of recorded positions; null: generated journeys. */
  readonly traces: string | null;
  readonly json: boolean;
}

/** The most nodes there are places for. */
export const MAX_NODES = 8;

/** Shown for `--help`. */
export const USAGE = `usage: npm start -- [options]

A cluster of real processes on this machine; every user travels, and every user's session follows it from node to node.

  --for DURATION          how long: 500ms, 30s, 5m (default: until Ctrl-C)
  --clients N             users, each with a session of its own (default 200)
  --moves-per-second N    moves of sessions, over all users (default 100)
  --nodes N               node processes, 2 to ${MAX_NODES} (default 3)
  --message-every-ms N    pause between two messages of one client (default 100)
  --traces DIR            replay recorded taxi positions (DIR/sf-taxi/*.csv.gz and sites-*.csv) instead of generated journeys
  --seed N                seed of the journeys (default 1)
  --json                  the last line of the output is the report as one JSON object
  --help

Send SIGTERM to a node's process (its pid is shown) to evacuate it; the run goes on with the others.
Exit code: 0 when nothing was lost, doubled or reordered and every call was answered; 1 when not; 2 for a wrong option.
`;

const FLAGS = {
  for: { type: "string" },
  clients: { type: "string" },
  "moves-per-second": { type: "string" },
  nodes: { type: "string" },
  "message-every-ms": { type: "string" },
  traces: { type: "string" },
  seed: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the command line; "help" when that was asked for.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function parseOptions(args: readonly string[]): RoamingOptions | "help" {
  const values = parseFlags(args, FLAGS);
  if (values.help === true) return "help";
  return {
    forMs: values.for === undefined ? null : durationFlag("--for", values.for, 1, "at most 24h"),
    clients: wholeFlag("--clients", values.clients, 200, 1, 5_000),
    movesPerSecond: wholeFlag("--moves-per-second", values["moves-per-second"], 100, 1, 10_000),
    nodes: wholeFlag("--nodes", values.nodes, 3, 2, MAX_NODES),
    messageEveryMs: wholeFlag("--message-every-ms", values["message-every-ms"], 100, 5, 60_000),
    seed: wholeFlag("--seed", values.seed, 1, 0, 0xffff_ffff),
    traces: values.traces ?? null,
    json: values.json ?? false,
  };
}
