// Installs the programs that the tests use and Node.js does not bring: a browser, openssl and Redis. Does next to nothing when they are there.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

/** Each program of the tests with the Debian package that brings it. */
export const PROGRAMS = [
  { program: "/usr/bin/chromium", package: "chromium" },
  { program: "openssl", package: "openssl" },
  { program: "redis-server", package: "redis-server" },
];

/** @returns {boolean} whether the program can be started */
function runs(program) {
  return spawnSync(program, [program === "openssl" ? "version" : "--version"], { stdio: "ignore" }).status === 0;
}

/** What is missing, with how to get it, as a sentence. */
export function adviceOn(packages) {
  return `The tests need ${packages.join(" and ")}. On Debian or Ubuntu run: sudo apt-get update && sudo apt-get install ${packages.join(" ")}`;
}

/**
 * Installs what is missing.
 * @param {{ has?: (program: string) => boolean, isRoot?: boolean, apt?: (...args: string[]) => boolean }} system
 * @returns {string | null} why something is still missing and how to get it, or null
 */
export function setupSystem({ has = runs, isRoot = process.getuid?.() === 0, apt = aptGet } = {}) {
  const missing = () => PROGRAMS.filter(({ program }) => !has(program)).map((entry) => entry.package);
  const packages = missing();
  if (packages.length === 0) return null;
  if (!isRoot) return adviceOn(packages);
  console.error(`Installing ${packages.join(" and ")} for the tests ...`);
  if (!apt("update") || !apt("install", "-y", "--no-install-recommends", ...packages)) return `apt-get failed. ${adviceOn(packages)}`;
  const left = missing();
  return left.length === 0 ? null : `What was installed does not start. ${adviceOn(left)}`;
}

function aptGet(...args) {
  return (
    spawnSync("apt-get", ["-q", ...args], { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } })
      .status === 0
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problem = setupSystem();
  if (problem !== null) {
    console.error(problem);
    process.exitCode = 1;
  }
}
