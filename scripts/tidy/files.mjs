import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Project, SourceFile } from "./source.mjs";

const TEXT =
  /(^|\/)(\.[a-z]+|LICENSE|run|Dockerfile|Makefile|[^/]+\.(ts|tsx|mts|mjs|js|jsx|json|md|yml|yaml|sh|html|css|svg|txt|toml|proto|fbs|service))$/;

/** Every committed or soon to be committed text file under `root`. */
export function readProject(root) {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = [...new Set(listed.split("\0"))].filter((path) => path !== "" && TEXT.test(path)).sort();
  return new Project(paths.flatMap((path) => read(root, path)));
}

function read(root, path) {
  try {
    return [new SourceFile(path, readFileSync(join(root, path), "utf8"))];
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "EISDIR") return []; // deleted but not yet committed, or a link to a folder
    throw error;
  }
}
