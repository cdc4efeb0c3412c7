import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { FIGURES, type Figures, resolveFigures, SojournError } from "@sojourn/core";
import { UsageError } from "../command-line/command.js";
import { nearest } from "../command-line/nearest.js";

/**
 * Reads one's own figures from a JSON file: `{ "ram.usdPerGbMonth": 3 }` or `{ "ram": { "usdPerGbMonth": 3 } }`. The report of
 * `npm run bench -- costs --json` can be given as it is.
 * @throws UsageError
 */
export function readFigures(path: string, cwd: string): Figures {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(resolve(cwd, path), "utf8"));
  } catch (error) {
    throw new UsageError(`--prices ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(value)) throw new UsageError(`--prices ${path} must hold a JSON object`);
  const own = flat(value.bench === "costs" && isObject(value.figures) ? value.figures : value, "");
  const names = Object.keys(FIGURES);
  for (const name of Object.keys(own)) {
    if (Object.hasOwn(FIGURES, name)) continue;
    const meant = nearest(name, names);
    const hint = meant === null ? "`sojourn advise --figures` lists them" : `did you mean "${meant}"?`;
    throw new UsageError(`--prices ${path}: there is no figure "${name}"; ${hint}`);
  }
  try {
    return resolveFigures(own);
  } catch (error) {
    throw error instanceof SojournError ? new UsageError(`--prices ${path}: ${error.message}`) : error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function flat(value: Readonly<Record<string, unknown>>, prefix: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    if (isObject(part)) Object.assign(found, flat(part, `${prefix}${name}.`));
    else found[prefix + name] = part;
  }
  return found;
}
