import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type SessionDefinition, SojournError } from "@sojourn/core";
import { importFile, importTypeScript } from "./import-module.js";

/**
 * Imports a module and takes every session definition among its exports. TypeScript is run as it is.
 * @throws SojournError (rejects) `E_CONFIG_INVALID` when there is no such module or it exports no definition, `E_DEFINITION_INVALID` when
 * loading it fails
 */
export async function loadDefinitions(module: string): Promise<SessionDefinition[]> {
  const path = module.startsWith("file:") ? fileURLToPath(module) : resolve(module);
  if (!existsSync(path)) throw new SojournError("E_CONFIG_INVALID", `there is no file ${path}`, { path });
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = /\.[mc]?tsx?$/.test(path) ? await importTypeScript(path) : await importFile(path);
  } catch (cause) {
    if (cause instanceof SojournError) throw cause;
    throw new SojournError("E_DEFINITION_INVALID", `${path} could not be loaded: ${describe(cause)}`, { path }, cause);
  }
  const definitions = new Map<string, SessionDefinition>();
  for (const value of Object.values(exported)) {
    if (!isDefinition(value)) continue;
    const known = definitions.get(value.name);
    if (known !== undefined && known !== value) {
      throw new SojournError("E_DEFINITION_INVALID", `${path} exports two session definitions named "${value.name}"`, { path });
    }
    definitions.set(value.name, value);
  }
  if (definitions.size === 0) {
    const names = Object.keys(exported).join(", ") || "nothing";
    throw new SojournError(
      "E_CONFIG_INVALID",
      `${path} exports no session definition (it exports: ${names}); export what defineSession returns`,
    );
  }
  return [...definitions.values()];
}

/** Definitions are plain data and may come from another copy of the package, so they are known by their shape. */
function isDefinition(value: unknown): value is SessionDefinition {
  if (typeof value !== "object" || value === null) return false;
  const { name, version, state, actions, hooks } = value as Partial<SessionDefinition>;
  return typeof name === "string" && typeof version === "number" && typeof state === "function" && actions instanceof Map && !!hooks;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
