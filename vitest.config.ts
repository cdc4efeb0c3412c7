import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

/** Suites that stand beside the code. They run on the sources, so nothing needs to be built first. */
export default defineConfig({
  resolve: {
    alias: [
      ...["core", "node", "testkit", "client", "cli", "adapters"].map((name) => ({
        find: new RegExp(`^@sojourn/${name}$`),
        replacement: source(name),
      })),
      { find: /^@sojourn\/adapters\/(.+)$/, replacement: fileURLToPath(new URL("./packages/adapters/src/$1/index.ts", import.meta.url)) },
    ],
  },
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
