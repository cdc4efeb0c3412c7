import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      ...["core", "node", "testkit", "client", "cli"].map((name) => ({
        find: new RegExp(`^@sojourn/${name}$`),
        replacement: source(name),
      })),
      { find: /^@sojourn\/adapters\/(.+)$/, replacement: fileURLToPath(new URL("./packages/adapters/src/$1/index.ts", import.meta.url)) },
    ],
  },
  test: { include: ["packages/*/src/**/*.test.ts"], testTimeout: 20_000 },
});
