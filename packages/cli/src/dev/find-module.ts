import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { SojournError } from "@sojourn/core";

const NAMES = ["sojourn", "sessions", "src/sojourn", "src/sessions"];
const ENDINGS = [".ts", ".mts", ".js", ".mjs"];

/**
 * The module with the definitions: the given one, or the first of the usual ones that is there.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function findModule(cwd: string, given: string | undefined): string {
  if (given !== undefined) {
    const path = resolve(cwd, given);
    if (existsSync(path)) return path;
    throw new SojournError("E_CONFIG_INVALID", `there is no file ${path}`, { path });
  }
  for (const name of NAMES) {
    for (const ending of ENDINGS) {
      const path = join(cwd, name + ending);
      if (existsSync(path)) return path;
    }
  }
  throw new SojournError(
    "E_CONFIG_INVALID",
    `no session definitions found in ${cwd}: name a file (sojourn dev <file>), or call it sojourn.ts or sessions.ts (.js, in src/ too)`,
  );
}
