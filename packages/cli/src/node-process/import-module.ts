import { rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { SojournError } from "@sojourn/core";

/** What a module exports. */
export type Exports = Readonly<Record<string, unknown>>;

/** Imports a JavaScript module. */
export async function importFile(path: string): Promise<Exports> {
  return (await import(pathToFileURL(path).href)) as Exports;
}

/**
 * Imports a TypeScript module as an ES module, whatever package.json says of its folder. The module and the files that it imports
 * are bundled into one file beside it, so that packages are found as from the module itself; the file is deleted once it is loaded.
 * @throws SojournError (rejects) `E_DEFINITION_INVALID` with the place of each syntax error, `E_DISK` when the file cannot be written
 */
export async function importTypeScript(path: string): Promise<Exports> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    write: false,
    logLevel: "silent",
  }).catch((cause: unknown) => {
    throw new SojournError("E_DEFINITION_INVALID", `${path} does not compile: ${problemsOf(cause)}`, { path }, cause);
  });
  process.setSourceMapsEnabled(true);
  const bundle = join(dirname(path), `.${basename(path)}.${process.pid}.mjs`);
  try {
    writeFileSync(bundle, outputFiles[0]?.contents ?? "");
  } catch (cause) {
    throw new SojournError("E_DISK", `${bundle} cannot be written; TypeScript is compiled beside its source`, { path: bundle }, cause);
  }
  try {
    return await importFile(bundle);
  } finally {
    rmSync(bundle, { force: true });
  }
}

interface BuildMessage {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

function problemsOf(cause: unknown): string {
  const errors = (cause as { readonly errors?: readonly BuildMessage[] }).errors ?? [];
  if (errors.length === 0) return cause instanceof Error ? cause.message : String(cause);
  return errors
    .map(({ text, location }) => (location === null ? text : `${text} (${location.file}:${location.line}:${location.column + 1})`))
    .join("; ");
}
