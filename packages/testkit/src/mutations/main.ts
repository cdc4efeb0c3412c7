// Entry of the mutation checks.
import { runMutations } from "./command.js";

process.exitCode = await runMutations(process.argv.slice(2), (text) => process.stdout.write(text));
