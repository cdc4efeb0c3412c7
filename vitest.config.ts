import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = new URL("./packages/", import.meta.url);

/** `@sojourn/x` and `@sojourn/x/sub` lead to sources: what a package's `exports` names under dist/ stands under src/ as .ts. */
function sourcesOf(folder: string): { find: RegExp; replacement: string }[] {
  const manifest: { name: string; exports: Record<string, { default: string }> } = JSON.parse(
    readFileSync(new URL(`${folder}/package.json`, packages), "utf8"),
  );
  return Object.entries(manifest.exports).map(([subpath, target]) => ({
    find: new RegExp(`^${manifest.name}${subpath.slice(1)}$`),
    replacement: fileURLToPath(new URL(`${folder}/${target.default.replace("/dist/", "/src/").replace(/\.js$/, ".ts")}`, packages)),
  }));
}

/** Suites that stand beside the code. They run on the sources, so nothing needs to be built first. */
export default defineConfig({
  resolve: { alias: readdirSync(packages).flatMap(sourcesOf) },
  test: {
    include: [
      "packages/*/src/**/*.test.{ts,tsx}",
      "apps/*/src/**/*.test.{ts,tsx}",
      "{examples/*,bench}/src/**/*.test.ts",
      "scripts/**/*.test.mjs",
    ],
    testTimeout: 20_000,
  },
});
