import type { LoadHook } from "node:module";
import { applyEdits, type Edit, editsByModule, moduleUrl } from "./mutant.js";

// Runs on the thread of the module loader. Node.js calls `initialize` once and `load` for each module.

const editsByUrl = new Map<string, readonly Edit[]>();

/** Takes the edits of one mutant. */
export function initialize(edits: readonly Edit[]): void {
  for (const [module, of] of editsByModule(edits)) editsByUrl.set(moduleUrl(module).href, of);
}

/** Loads a module, with its edits made when it has any. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const edits = editsByUrl.get(url);
  if (edits === undefined) return loaded;
  const { source } = loaded;
  if (source === undefined || source === null) throw new Error(`${url} was loaded without its text`);
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  return { ...loaded, source: applyEdits(text, edits) };
};
