import { type Failover, SojournError } from "@sojourn/core";
import { durationFlag, parseFlags, wholeFlag } from "../flags.js";
import { FAULT_KINDS, type FaultKind } from "./faults.js";
import type { ChaosOptions } from "./run-chaos.js";

/** Shown for `--help`. */
export const CHAOS_USAGE = `usage: npm run chaos -- [options]

A cluster of real processes on this machine, broken again and again while clients talk and sessions move.

  --for DURATION          how long faults are injected: 30s, 5m (default 1m)
  --seed N                seed of the faults (default 1)
  --nodes N               node processes, 3 to 9 (default 4)
  --clients N             clients, each with a session of its own (default 20)
  --message-every-ms N    pause between two messages of one client (default 100)
  --move-every-ms N       pause between two moves of sessions (default 100)
  --lease DURATION        the nodes' lease (default 2s)
  --failover WHEN         when copies take over: lease (default), or suspicion
  --faults A,B            only these kinds: ${FAULT_KINDS.join(", ")}
  --json                  the last line of the output is the report as one JSON object
  --help

Exit code: 0 when nothing was lost, doubled or reordered and every hand-over ended; 1 when not; 2 for a wrong option.
`;

const FLAGS = {
  for: { type: "string" },
  seed: { type: "string" },
  nodes: { type: "string" },
  clients: { type: "string" },
  "message-every-ms": { type: "string" },
  "move-every-ms": { type: "string" },
  lease: { type: "string" },
  failover: { type: "string" },
  faults: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/**
 * Reads the command line of a chaos run; "help" when that was asked for.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function parseChaosOptions(args: readonly string[]): { readonly run: ChaosOptions; readonly json: boolean } | "help" {
  const values = parseFlags(args, FLAGS);
  if (values.help === true) return "help";
  return {
    run: {
      forMs: duration("--for", values.for, 60_000),
      seed: wholeFlag("--seed", values.seed, 1, 0, 0xffff_ffff),
      nodes: wholeFlag("--nodes", values.nodes, 4, 3, 9),
      clients: wholeFlag("--clients", values.clients, 20, 1, 1_000),
      messageEveryMs: wholeFlag("--message-every-ms", values["message-every-ms"], 100, 5, 60_000),
      moveEveryMs: wholeFlag("--move-every-ms", values["move-every-ms"], 100, 5, 60_000),
      leaseMs: duration("--lease", values.lease, 2_000),
      failover: failover(values.failover ?? "lease"),
      ...(values.faults !== undefined && { faults: kinds(values.faults) }),
    },
    json: values.json ?? false,
  };
}

function duration(flag: string, text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Math.round(durationFlag(flag, text, 200, "from 200ms to 24h"));
}

function failover(text: string): Failover {
  if (text === "lease" || text === "suspicion") return text;
  throw new SojournError("E_CONFIG_INVALID", `--failover must be lease or suspicion, not "${text.slice(0, 40)}"`);
}

function kinds(text: string): FaultKind[] {
  return text.split(",").map((name) => {
    const kind = FAULT_KINDS.find((known) => known === name);
    if (kind === undefined)
      throw new SojournError("E_CONFIG_INVALID", `there is no fault "${name.slice(0, 40)}"; there are: ${FAULT_KINDS.join(", ")}`);
    return kind;
  });
}
