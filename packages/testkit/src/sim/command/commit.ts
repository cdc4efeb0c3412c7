import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The commit that this code was built from, as far as git knows; a seed means the same only at the same commit. */
export function commitOf(): string {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const git = (...args: string[]) => execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const commit = git("rev-parse", "--short=12", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit} with changes`;
  } catch {
    return "unknown (no git repository)";
  }
}
