// Breaks a cluster of real processes while clients talk. Usage: npm run chaos -- --for 5m --seed N [--json]; --help says more.
import { CHAOS_USAGE, describeReport, parseChaosOptions, runChaos } from "@sojourn/testkit/chaos";

const FAULTS_FOUND = 1;
const WRONG_USE = 2;
const INTERRUPTED = 130;

async function main() {
  const options = parseChaosOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(CHAOS_USAGE);
    return 0;
  }
  let asked = false;
  const stop = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) {
      process.on(signal, () => {
        if (asked) process.exit(INTERRUPTED); // the children end when their channel closes
        asked = true;
        resolve();
      });
    }
  });
  const report = await runChaos({ ...options.run, stop, onLine: (line) => process.stdout.write(`${line}\n`) });
  process.stdout.write(`\n${describeReport(report).join("\n")}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.problems.length === 0 ? 0 : FAULTS_FOUND;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(error.code ? `${error.code}: ${error.message}\n` : `${error.stack ?? error}\n`);
    process.exitCode = error.code === "E_CONFIG_INVALID" ? WRONG_USE : FAULTS_FOUND;
  },
);
