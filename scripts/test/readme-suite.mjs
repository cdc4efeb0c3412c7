import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandsOf } from "./readme-commands.mjs";
import { runNode } from "./run-command.mjs";
import { oneFailed, onePassed, sum } from "./tally.mjs";

const LIMIT_MS = 30_000;

/** What README.md tells people to run exists: npm scripts, subcommands of `sojourn`, names of benches, files. */
export async function checkReadme(root) {
  const path = join(root, "README.md");
  if (!existsSync(path)) return oneFailed("README.md is missing");
  const commands = commandsOf(readFileSync(path, "utf8"));
  if (commands.length === 0) return oneFailed("README.md names no command");
  const facts = {
    root,
    scripts: readJson(root, "package.json").scripts,
    help: await helpText(root),
    benches: commands.some(isBench) ? await benchNames(root) : [],
  };
  const help = facts.help === null ? oneFailed("`sojourn --help` does not run") : onePassed();
  return sum([help, ...commands.map((command) => judge(command, facts))]);
}

const isBench = (command) => command.kind === "npm" && command.script === "bench" && command.argument !== null;

function judge(command, { root, scripts, help, benches }) {
  const missing = (what) => oneFailed(`README.md names ${what}, which does not exist`);
  if (command.kind === "node") return existsSync(join(root, command.file)) ? onePassed() : missing(command.file);
  if (command.kind === "cli") {
    const known = command.command === null || new RegExp(`\\b${command.command}\\b`).test(help ?? "");
    return known && help !== null ? onePassed() : missing(`sojourn ${command.command ?? ""}`.trim());
  }
  if (!Object.hasOwn(scripts, command.script)) return missing(`npm run ${command.script}`);
  if (isBench(command) && command.argument !== "list" && !benches.includes(command.argument))
    return missing(`the bench ${command.argument}`);
  return onePassed();
}

async function helpText(root) {
  const bin = readJson(root, "packages/cli/package.json").bin;
  const file = typeof bin === "string" ? bin : bin?.sojourn;
  if (file === undefined || !existsSync(join(root, "packages/cli", file))) return null;
  const { code, stdout } = await runNode([join(root, "packages/cli", file), "--help"], { cwd: root, limitMs: LIMIT_MS, capture: true });
  return code === 0 && stdout !== "" ? stdout : null;
}

async function benchNames(root) {
  const { code, stdout } = await runNode(["bench/dist/main.js", "list", "--json"], { cwd: root, limitMs: LIMIT_MS, capture: true });
  try {
    return code === 0 ? JSON.parse(stdout.trim().split("\n").at(-1)).benches.map(({ name }) => name) : [];
  } catch {
    return []; // each bench that is named then counts as missing
  }
}

function readJson(root, path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
