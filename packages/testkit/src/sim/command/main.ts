// Entry of the simulator. Usage: npm run sim -- --seeds N [--json]; --help says more.
import { runMain } from "../../run-main.js";
import { runSim } from "./run.js";

const INTERRUPTED = 130;

let asked = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    if (asked) process.exit(INTERRUPTED); // the workers end when their channel closes
    asked = true;
  });
}

await runMain(() =>
  runSim(process.argv.slice(2), {
    write: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
    stop: () => asked,
  }),
);
