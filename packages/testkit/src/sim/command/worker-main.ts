// Entry of a worker of the simulator: runs seeds. One that goes wrong is run once more, to tell what happened in it.
import { serveSeeds } from "../../seeds/serve-seeds.js";
import type { DrawOptions } from "../swarm/draw-options.js";
import { runSeed } from "../swarm/run-seed.js";
import { outcomeOf, type SeedOutcome } from "./outcome.js";

const TIMELINE_ENTRIES = 60;
/** What the command fixes instead of leaving it to the seeds. */
const draw = JSON.parse(process.argv[2] ?? "null") as DrawOptions | null;

serveSeeds(async (seed): Promise<SeedOutcome> => {
  const before = process.cpuUsage();
  const report = await runSeed(seed, { ...draw });
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000;
  if (report.problems.length === 0) return outcomeOf(report, cpuMs, []);
  const again = await runSeed(seed, { ...draw, timeline: true });
  if (again.traceHash === report.traceHash) return outcomeOf(report, cpuMs, again.timeline.slice(-TIMELINE_ENTRIES));
  const differs = `determinism: seed ${seed} ran differently the second time`;
  return outcomeOf({ ...report, problems: [...report.problems, differs] }, cpuMs, again.timeline.slice(-TIMELINE_ENTRIES));
});
