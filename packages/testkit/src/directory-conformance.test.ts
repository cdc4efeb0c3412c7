import { InMemoryDirectory } from "@sojourn/core";
import { describe, test } from "vitest";
import { directoryConformance } from "./directory-conformance.js";
import { VirtualClock } from "./virtual-clock.js";

const cases = directoryConformance({
  async start() {
    const clock = new VirtualClock();
    const directory = new InMemoryDirectory(clock);
    const none = () => Promise.reject(new Error("not durable"));
    return {
      open: async () => directory.open(),
      reopen: none,
      crash: none,
      advance: async (ms) => void (await clock.run(ms)),
      close: () => directory.close(),
    };
  },
  durable: "keeps nothing",
  handlesSurvive: "keeps nothing",
  guards: true,
  modelRuns: 300,
});

describe("InMemoryDirectory", () => {
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});
