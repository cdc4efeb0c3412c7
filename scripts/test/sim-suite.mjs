import { runNode } from "./run-command.mjs";
import { oneFailed, onePassed, sum } from "./tally.mjs";

const SIM = "packages/testkit/dist/sim/command/main.js";
/** Always the same seeds, so that a run says something about the change and not about luck. */
const FIRST = 1;
const SEEDS = 330;
const DETERMINISTIC_SEEDS = 100;

/** Simulated clusters: every promise holds in each seed, everything is reached by all of them, and seeds run the same in two processes. */
export async function runSimulator(root, limitMs) {
  const deadline = Date.now() + limitMs;
  const run = async (args) => {
    const { code, timedOut, stdout } = await runNode([SIM, ...args, "--json"], {
      cwd: root,
      limitMs: Math.max(1, deadline - Date.now()),
      capture: true,
    });
    const lines = stdout.trim().split("\n");
    console.log(lines.slice(0, -1).join("\n"));
    return timedOut ? null : { code, report: parsed(lines.at(-1)) };
  };
  const hunted = await run(["--first", String(FIRST), "--seeds", String(SEEDS)]);
  const compared = await run(["--determinism", String(DETERMINISTIC_SEEDS)]);
  return sum([...judgeHunt(hunted), judgeDeterminism(compared)]);
}

/** One check for the promises, one for what was reached. */
export function judgeHunt(ended) {
  if (ended?.report === undefined || ended?.report === null) return [oneFailed("the simulator did not come to its end")];
  const { code, report } = ended;
  const kept =
    report.violations === 0
      ? onePassed()
      : oneFailed(
          `${report.violations} seeds broke a promise, first ${report.firstFailingSeed}: npm run sim -- --replay ${report.firstFailingSeed}`,
        );
  // The simulator itself knows from how many seeds on something unreached counts.
  const reached = code === 0 || report.violations > 0 ? onePassed() : oneFailed(`not reached: ${report.unreached.join(", ")}`);
  return [kept, reached];
}

/** Whether seeds ran the same twice. */
export function judgeDeterminism(ended) {
  if (ended?.report === undefined || ended?.report === null) return oneFailed("the simulator did not come to its end");
  const { differing } = ended.report;
  return differing.length === 0 ? onePassed() : oneFailed(`seeds run differently in another process: ${differing.join(", ")}`);
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null; // it ended before it could report
  }
}
