import { availableParallelism } from "node:os";
import { type Failover, SojournError } from "@sojourn/core";
import { durationFlag, parseFlags, wholeFlag } from "../../flags.js";
import { COVERAGE_SEEDS } from "./report.js";

/** Shown for `--help`. */
export const SIM_USAGE = `usage: npm run sim -- [options]

Whole clusters on virtual time, one a seed: each seed draws its own cluster, faults and work, and every promise is checked at each step.

  --seeds N           how many seeds are run (default 1000; with --for, as many as there is time for)
  --first N           the first of them (default 1)
  --for DURATION      seeds are begun for so long: 30s, 30m
  --failover WHEN     lease or suspicion: when copies take over, in all seeds (default: as each seed draws it)
  --jobs N            worker processes (default: one a core)
  --json              the last line of the output is the report as one JSON object

  --replay SEED       runs one seed here and prints all that happened
  --plan FILE         runs the plan in this file
  --shrink            with one of these: looks for a smaller plan that goes wrong in the same way
  --out FILE          writes the smaller plan to this file, for --plan
  --session KEY       prints only what concerns this session and what concerns none, such as s0 or swarm/s0

  --determinism N     runs N seeds in each of two processes, in opposite orders, and compares all that happened

  --cases             prints the table of cases that a run counts

  --mutations         runs the mutation checks; see npm run mutations -- --help
  --help

Exit code: 0 when every promise was kept; 1 when not, or when ${COVERAGE_SEEDS} seeds or more have left something of the coverage
unreached; 2 for a wrong option.
`;

const FLAGS = {
  seeds: { type: "string" },
  first: { type: "string" },
  for: { type: "string" },
  failover: { type: "string" },
  jobs: { type: "string" },
  json: { type: "boolean" },
  replay: { type: "string" },
  plan: { type: "string" },
  session: { type: "string" },
  shrink: { type: "boolean" },
  out: { type: "string" },
  determinism: { type: "string" },
  cases: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const MAX_SEED = 0xffff_ffff;
const DEFAULT_SEEDS = 1_000;

/** Many seeds. */
export interface HuntOptions {
  readonly seeds: number;
  readonly first: number;
  /** Infinite when only the number of seeds counts. */
  readonly forMs: number;
  readonly jobs: number;
  /** When copies take over; as each seed draws it when left out. */
  readonly failover?: Failover;
}

/** What to run, when it is one run. */
export type RunSource = { readonly seed: number; readonly failover?: Failover } | { readonly file: string };

/** What a command line asks for. */
export type SimTask =
  | { readonly do: "help" | "cases" }
  | { readonly do: "hunt"; readonly hunt: HuntOptions; readonly json: boolean }
  | { readonly do: "determinism"; readonly first: number; readonly seeds: number; readonly json: boolean }
  | { readonly do: "replay"; readonly of: RunSource; readonly session: string | null; readonly json: boolean }
  | { readonly do: "shrink"; readonly of: RunSource; readonly session: string | null; readonly out: string | null; readonly json: boolean };

/**
 * Reads the command line of the simulator, but for `--mutations`.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function parseSimOptions(args: readonly string[]): SimTask {
  const values = parseFlags(args, FLAGS);
  const json = values.json ?? false;
  if (values.help === true) return { do: "help" };
  if (values.cases === true) return { do: "cases" };
  const first = wholeFlag("--first", values.first, 1, 0, MAX_SEED);
  const jobs = wholeFlag("--jobs", values.jobs, availableParallelism(), 1, 256);
  const forMs = values.for === undefined ? Number.POSITIVE_INFINITY : durationFlag("--for", values.for, 1_000, "from 1s to 24h");
  const seeds = wholeFlag("--seeds", values.seeds, values.for === undefined ? DEFAULT_SEEDS : MAX_SEED - first, 1, MAX_SEED);
  const failover = failoverOf(values.failover);
  const replayed = values.replay === undefined ? null : wholeFlag("--replay", values.replay, 0, 0, MAX_SEED);
  if (values.determinism !== undefined)
    return { do: "determinism", first, seeds: wholeFlag("--determinism", values.determinism, 0, 1, MAX_SEED), json };
  const of: RunSource | null =
    values.plan !== undefined ? { file: values.plan } : replayed !== null ? { seed: replayed, ...failover } : null;
  if (of === null && values.shrink === true) throw new SojournError("E_CONFIG_INVALID", "--shrink needs --replay SEED or --plan FILE");
  if (of === null) return { do: "hunt", hunt: { seeds, first, forMs, jobs, ...failover }, json };
  const session = values.session === undefined ? null : values.session.includes("/") ? values.session : `swarm/${values.session}`;
  return values.shrink === true ? { do: "shrink", of, session, out: values.out ?? null, json } : { do: "replay", of, session, json };
}

function failoverOf(value: string | undefined): { readonly failover?: Failover } {
  if (value === undefined) return {};
  if (value !== "lease" && value !== "suspicion")
    throw new SojournError("E_CONFIG_INVALID", `--failover ${value} is not lease or suspicion`);
  return { failover: value };
}
