import { advise as adviseOn, FIGURES, type Figures, resolveWorkload, type Workload, type WorkloadInput } from "@sojourn/core";
import { givenWorkload, WORKLOAD_OPTIONS } from "../advise/given-workload.js";
import { liveWorkload } from "../advise/live-workloads.js";
import { readFigures } from "../advise/own-figures.js";
import { renderAdvice, renderFigures } from "../advise/render.js";
import { type Command, type CommandInput, type CommandIo, UsageError } from "../command-line/command.js";
import { ask, TARGET_OPTIONS } from "../target.js";

const NEEDED = { stateBytes: "--size", turnsPerSec: "--turns", movesPerSec: "--moves" } as const;

/** `sojourn advise` */
export const advise: Command = {
  name: "advise",
  summary: "Say how sessions are best kept safe, what each way costs, and what would change the answer",
  positionals: [],
  options: {
    ...WORKLOAD_OPTIONS,
    prices: { value: "<file>", summary: 'JSON with one\'s own figures, e.g. { "ram.usdPerGbMonth": 3 }' },
    kind: { value: "<kind>", summary: "on a running cluster: only this kind of session" },
    ...TARGET_OPTIONS,
    figures: { summary: "list all figures of the model with where they come from" },
  },
  notes: [
    "",
    "  sojourn advise --size 5kb --turns 20/s --moves 120/s --durability strong --sessions 1M --memory 64GB",
    "",
    "Without --size, --turns and --moves it asks a running cluster what its sessions are like; the other options replace what was measured.",
    "docs/advisor.md says how it reckons.",
  ],
  async run(input, io) {
    const json = input.switches.has("json");
    const path = input.values.get("prices");
    const figures = path === undefined ? FIGURES : readFigures(path, io.cwd);
    if (input.switches.has("figures")) {
      io.out(json ? JSON.stringify(figures) : renderFigures(figures));
      return 0;
    }
    const given = givenWorkload(input);
    const measured = Object.keys(NEEDED).every((name) => given[name as keyof typeof NEEDED] === undefined);
    if (measured) return adviseOnCluster(input, io, given, figures);
    const advice = adviseOn(resolveWorkload(complete(given)), figures);
    io.out(json ? JSON.stringify(advice) : renderAdvice(advice, figures, "Advice on given numbers"));
    return 0;
  },
};

/** For each kind of session of a running cluster, on what was measured of it. */
async function adviseOnCluster(input: CommandInput, io: CommandIo, given: Partial<Workload>, figures: Figures): Promise<number> {
  const kind = input.values.get("kind");
  const profile = await ask(input, io, { command: "profile", limit: 0, ...(kind !== undefined && { kind }) });
  const live = profile.kinds.map((report) => liveWorkload(report, given));
  if (input.switches.has("json")) {
    const kinds = live.map(({ kind: name, workload, notes }) => {
      return { kind: name, notes, advice: workload === null ? null : adviseOn(workload, figures) };
    });
    io.out(JSON.stringify({ kinds, silent: profile.silent }));
    return 0;
  }
  if (live.length === 0) io.out("No node keeps a profile.");
  live.forEach(({ kind: name, workload, notes }, i) => {
    if (i > 0) io.out("");
    const title = `Advice on ${name}, as measured`;
    io.out(workload === null ? title : renderAdvice(adviseOn(workload, figures), figures, title));
    for (const note of notes) io.out(`  ${note}`);
  });
  for (const { node, error } of profile.silent) io.out(`\n${node} is missing: ${error.code}: ${error.message}`);
  return 0;
}

function complete(given: Partial<Workload>): WorkloadInput {
  const missing = Object.entries(NEEDED).flatMap(([name, option]) => (given[name as keyof typeof NEEDED] === undefined ? [option] : []));
  if (missing.length > 0) throw new UsageError(`${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`);
  return given as WorkloadInput;
}
