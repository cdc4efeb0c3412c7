import { runCostsBench } from "./costs/costs.js";
import { runFailoverBench } from "./failover/failover.js";
import { runHandoverBench } from "./handover/handover.js";
import { runLargeBench } from "./large/large.js";
import { runProfilerBench } from "./profiler/profiler.js";
import { runStoresBench } from "./stores/stores.js";
import { runStrategiesBench } from "./strategies/strategies.js";

interface Bench {
  readonly name: string;
  readonly question: string;
  readonly run: (json: boolean) => Promise<void>;
}

const BENCHES: readonly Bench[] = [
  {
    name: "handover",
    question: "How long is a 5 KB session frozen when it moves, how many move a second, and who notices?",
    run: runHandoverBench,
  },
  {
    name: "failover",
    question: "How soon are clients served again when the owner of their sessions is killed, or leaves, and is anything lost?",
    run: runFailoverBench,
  },
  {
    name: "costs",
    question: "What do encoding, restoring, applying, memory and durable writes cost here? (the figures behind `sojourn advise`)",
    run: runCostsBench,
  },
  {
    name: "profiler",
    question: "What does a node's profiler add to a turn?",
    run: runProfilerBench,
  },
  {
    name: "stores",
    question: "How fast do deltas and snapshots become durable, and how long does a restore take?",
    run: runStoresBench,
  },
  {
    name: "large",
    question: "How long is a 64 MB session frozen when it moves while turns go on, and how fast is it copied?",
    run: runLargeBench,
  },
  {
    name: "strategies",
    question:
      "What do replica, hybrid and snapshot cost a turn, a move, a lost owner and in bytes, from 1 KB to 1 MB, and does `auto` do better?",
    run: runStrategiesBench,
  },
];

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = args.filter((arg) => arg.startsWith("--") && arg !== "--json");
  if (unknown.length > 0 || names.length > 1) {
    process.stderr.write(`unknown argument ${unknown[0] ?? names[1]}\nusage: npm run bench -- <bench> [--json]\n`);
    return 2;
  }
  const name = names[0] ?? "list";
  if (name === "list") {
    for (const bench of BENCHES) process.stdout.write(`${bench.name.padEnd(12)} ${bench.question}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ benches: BENCHES.map(({ name: n, question }) => ({ name: n, question })) })}\n`);
    return 0;
  }
  const bench = BENCHES.find((candidate) => candidate.name === name);
  if (bench === undefined) {
    process.stderr.write(`no bench "${name}"; there are: ${BENCHES.map((b) => b.name).join(", ")}\n`);
    return 2;
  }
  await bench.run(json);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
