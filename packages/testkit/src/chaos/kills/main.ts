// Kills all nodes of a cluster at once, again and again. Usage: npm run kills -- --rounds 100 [--json]; --help says more.
import { durationFlag, parseFlags, wholeFlag } from "../../flags.js";
import { runMain } from "../../run-main.js";
import { describeKills } from "./report.js";
import { runKills } from "./run-kills.js";

const USAGE = `usage: npm run kills -- [options]

A cluster of real processes on this machine whose sessions are kept in a store on disk. All nodes are killed (SIGKILL) at once and started again, while
clients talk.

  --rounds N              how often (default 100)
  --seed N                seed of the times between two kills (default 1)
  --nodes N               node processes, 1 to 9 (default 3)
  --sessions N            sessions of each kind: hybrid strong, hybrid eventual, snapshot (default 4)
  --message-every-ms N    pause between two messages of one client (default 5)
  --lease DURATION        the nodes' lease (default 2500ms)
  --json                  the last line of the output is the report as one JSON object
  --help

Exit code: 0 when every session came back with what it promises to keep; 1 when not; 2 for a wrong option.
`;

const FLAGS = {
  rounds: { type: "string" },
  seed: { type: "string" },
  nodes: { type: "string" },
  sessions: { type: "string" },
  "message-every-ms": { type: "string" },
  lease: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

await runMain(async () => {
  const values = parseFlags(process.argv.slice(2), FLAGS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const report = await runKills({
    rounds: wholeFlag("--rounds", values.rounds, 100, 1, 100_000),
    seed: wholeFlag("--seed", values.seed, 1, 0, 0xffff_ffff),
    nodes: wholeFlag("--nodes", values.nodes, 3, 1, 9),
    sessions: wholeFlag("--sessions", values.sessions, 4, 1, 200),
    messageEveryMs: wholeFlag("--message-every-ms", values["message-every-ms"], 5, 1, 60_000),
    leaseMs: values.lease === undefined ? 2_500 : Math.round(durationFlag("--lease", values.lease, 500, "from 500ms to 24h")),
    onLine: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`\n${describeKills(report).join("\n")}\n`);
  if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.problems.length === 0 ? 0 : 1;
});
