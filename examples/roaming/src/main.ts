import { SojournError } from "@sojourn/core";
import { parseOptions, USAGE } from "./options.js";
import { describeReport } from "./report/report.js";
import { lineView, terminalView } from "./report/view.js";
import { runRoaming } from "./run.js";
import { planTravel } from "./travel/travel.js";

const FAULTS_FOUND = 1;
const WRONG_USE = 2;
const INTERRUPTED = 130;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const travel = planTravel(options);
  const stop = new Promise<void>((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (asked) process.exit(INTERRUPTED); // the children end when their channel closes
        asked = true;
        resolve();
      });
    }
  });
  const view = process.stdout.isTTY ? terminalView(process.stdout) : lineView((line) => process.stdout.write(`${line}\n`));
  const report = await runRoaming(options, travel, view, stop);
  process.stdout.write(`\n${describeReport(report).join("\n")}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.faults.length === 0 ? 0 : FAULTS_FOUND;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof SojournError;
    process.stderr.write(known ? `${error.code}: ${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = known && error.code === "E_CONFIG_INVALID" ? WRONG_USE : FAULTS_FOUND;
  },
);
