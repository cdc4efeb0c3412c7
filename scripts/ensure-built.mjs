// Builds what is missing or older than its sources; does next to nothing when everything is up to date.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentProblem } from "./environment.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command with this Node.js; its output goes to standard error, so that a report on standard output stays alone. */
function run(...args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) {
    console.error(`\nThe build failed (node ${args.map((arg) => arg.replace(root, "")).join(" ")}).`);
    process.exit(1);
  }
}

/** TypeScript trusts its build information; a project whose output was deleted has to be built from scratch. */
function outputMissing() {
  const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  return references.some(({ path }) => existsSync(join(root, path, "tsconfig.tsbuildinfo")) && !existsSync(join(root, path, "dist")));
}

const problem = environmentProblem(root, existsSync);
if (problem !== null) {
  console.error(problem);
  process.exit(1);
}
run(join(root, "node_modules/typescript/bin/tsc"), "-b", ...(outputMissing() ? ["--force"] : []));
run("scripts/build-client.mjs");
