// Entry of a worker: runs seeds with one mutant in place. The simulator, and with it everything that a mutant can change, is
// imported only once the loader hook stands.
import { register } from "node:module";
import type { SeedOutcome, WorkerTask } from "./worker-messages.js";

const { edits, firstSeed, lastSeed }: WorkerTask = JSON.parse(process.argv[2] ?? "");

if (edits.length > 0) register(new URL("./load-mutated.js", import.meta.url), { data: edits });
const { runOne } = await import("./run-one.js");

/** Errors that nobody awaited; a mutant may make the node code throw where it cannot. */
let stray: string | null = null;
process.on("unhandledRejection", (error) => {
  stray ??= String(error);
});

for (let seed = firstSeed; seed <= lastSeed && process.connected; seed++) {
  stray = null;
  const outcome: SeedOutcome = await runOne(seed).then(
    (problems) => ({ seed, problems, crash: stray }),
    (error: unknown) => ({ seed, problems: [], crash: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  await new Promise<void>((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(outcome, undefined, {}, () => resolve());
  });
}
process.disconnect?.();
