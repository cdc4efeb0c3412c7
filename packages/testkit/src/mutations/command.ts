import { parseFlags } from "../flags.js";
import { mutants } from "./catalogue.js";
import { lineOf, markdownTable, reportOf } from "./report.js";
import { search } from "./search.js";

/** The arguments of `npm run mutations`, and of `npm run sim -- --mutations`. */
export const MUTATIONS_USAGE = `npm run mutations -- [--only id,id] [--seeds 1000] [--minutes 10] [--jobs 2] [--json] [--markdown]

  --only      these mutants
  --seeds     most seeds for each
  --minutes   most time for each
  --jobs      worker processes
  --json      the last line of the output is one JSON object
  --markdown  prints the table of docs/mutations.md
`;

const MAX_MS_PER_SEED = 30_000;

/**
 * Runs the mutation checks; the exit code is 0 when every mutant was caught.
 * @throws SojournError `E_CONFIG_INVALID` for a wrong option
 */
export async function runMutations(args: readonly string[], write: (text: string) => void): Promise<number> {
  const values = parseFlags(args, {
    mutations: { type: "boolean" },
    only: { type: "string" },
    seeds: { type: "string", default: "1000" },
    minutes: { type: "string", default: "10" },
    jobs: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  });
  if (values.help === true) {
    write(MUTATIONS_USAGE);
    return 0;
  }
  const only = values.only?.split(",");
  const unknown = only?.filter((id) => !mutants.some((mutant) => mutant.id === id)) ?? [];
  const maxSeeds = Number(values.seeds);
  const minutes = Number(values.minutes);
  const workers = Number(values.jobs);
  if (
    unknown.length > 0 ||
    !(Number.isInteger(maxSeeds) && maxSeeds > 0) ||
    !(minutes > 0) ||
    !(Number.isInteger(workers) && workers > 0)
  ) {
    write(
      `${unknown.length > 0 ? `no mutant ${unknown.join(", ")}` : "--seeds, --minutes and --jobs are numbers above 0"}\n\n${MUTATIONS_USAGE}`,
    );
    return 2;
  }
  const chosen = only === undefined ? mutants : mutants.filter((mutant) => only.includes(mutant.id));
  const { findings, unsoundSeeds } = await search(chosen, {
    maxSeeds,
    maxMsPerMutant: minutes * 60_000,
    maxMsPerSeed: MAX_MS_PER_SEED,
    workers,
    onFinding: (finding) => write(`${lineOf(finding)}\n`),
  });
  const report = reportOf(findings);
  if (values.markdown) write(`\n${markdownTable(findings)}\n`);
  const { caught, total, medianSeeds, missed } = report;
  write(`\n${caught} of ${total} mutants caught, median ${medianSeeds ?? "-"} seeds\n`);
  if (missed.length > 0) write(`missed: ${missed.join(", ")}\n`);
  if (unsoundSeeds.length > 0) write(`passed over, for they show a violation without any mutant: ${unsoundSeeds.join(", ")}\n`);
  if (values.json) write(`${JSON.stringify({ ...report, unsoundSeeds })}\n`);
  return missed.length === 0 ? 0 : 1;
}
