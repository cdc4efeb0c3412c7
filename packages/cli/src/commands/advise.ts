import { advise as adviseOn, FIGURES, resolveWorkload, type Workload, type WorkloadInput } from "@sojourn/core";
import { givenWorkload, WORKLOAD_OPTIONS } from "../advise/given-workload.js";
import { readFigures } from "../advise/own-figures.js";
import { renderAdvice, renderFigures } from "../advise/render.js";
import { type Command, UsageError } from "../command-line/command.js";

const NEEDED = { stateBytes: "--size", turnsPerSec: "--turns", movesPerSec: "--moves" } as const;

/** `sojourn advise` */
export const advise: Command = {
  name: "advise",
  summary: "Say how sessions are best kept safe, what each way costs, and what would change the answer",
  positionals: [],
  options: {
    ...WORKLOAD_OPTIONS,
    prices: { value: "<file>", summary: 'JSON with one\'s own figures, e.g. { "ram.usdPerGbMonth": 3 }' },
    figures: { summary: "list all figures of the model with where they come from" },
  },
  notes: [
    "",
    "  sojourn advise --size 5kb --turns 20/s --moves 120/s --durability strong --sessions 1M --memory 64GB",
    "",
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
    const advice = adviseOn(resolveWorkload(complete(givenWorkload(input))), figures);
    io.out(json ? JSON.stringify(advice) : renderAdvice(advice, figures, "Advice on given numbers"));
    return 0;
  },
};

function complete(given: Partial<Workload>): WorkloadInput {
  const missing = Object.entries(NEEDED).flatMap(([name, option]) => (given[name as keyof typeof NEEDED] === undefined ? [option] : []));
  if (missing.length > 0) throw new UsageError(`${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`);
  return given as WorkloadInput;
}
