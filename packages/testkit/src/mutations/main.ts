// Entry of the mutation checks.
import { runMain } from "../run-main.js";
import { runMutations } from "./command.js";

await runMain(() => runMutations(process.argv.slice(2), (text) => process.stdout.write(text)));
