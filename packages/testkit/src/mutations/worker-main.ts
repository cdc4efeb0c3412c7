// Entry of a worker: runs seeds with one mutant in place. The simulator, and with it everything that a mutant can change, is
// imported only once the loader hook stands.
import { register } from "node:module";
import { serveSeeds } from "../seeds/serve-seeds.js";
import type { Edit } from "./mutant.js";

/** None to run the code as it is. */
const edits: readonly Edit[] = JSON.parse(process.argv[2] ?? "");

if (edits.length > 0) register(new URL("./load-mutated.js", import.meta.url), { data: edits });
const { runOne } = await import("./run-one.js");

serveSeeds(runOne);
