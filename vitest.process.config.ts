import { defineConfig } from "vitest/config";

/** Suites over real processes, sockets and disks. They use what was built (npm run build), one file after the other. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
