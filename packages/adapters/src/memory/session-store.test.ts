import type { SessionStore } from "@sojourn/core";
import { type DamagedPart, storeConformance } from "@sojourn/testkit/stores";
import { describe, test } from "vitest";
import { createMemorySessionStore, MemoryStoreContents } from "./session-store.js";

/** The kept bytes themselves are changed. "Reopen" and "crash" are those of the handles: the contents are the test's. */
function damage(contents: MemoryStoreContents, session: string, part: DamagedPart, how: "flip" | "cut"): void {
  const kept = contents.get(session);
  const list = part === "newest base" ? [...kept.bases] : [...kept.log];
  const at = part === "middle record" ? list.length - 2 : list.length - 1;
  const { bytes, ...rest } = list[at] ?? { epoch: 0, version: 0, bytes: new Uint8Array(0) };
  const bad = how === "cut" ? bytes.slice(0, Math.floor(bytes.length / 2)) : bytes.map((b, i) => (i === bytes.length >> 1 ? b ^ 4 : b));
  list[at] = { ...rest, bytes: bad };
  contents.set(session, part === "newest base" ? { ...kept, bases: list } : { ...kept, log: list });
}

const cases = storeConformance({
  async start(limits) {
    const contents = new MemoryStoreContents();
    let handles: SessionStore[] = [];
    const open = async (): Promise<SessionStore> => {
      const store = createMemorySessionStore({ contents, limits });
      handles.push(store);
      return store;
    };
    const closeAll = async (): Promise<void> => {
      for (const handle of handles) await handle.close();
      handles = [];
    };
    return {
      open,
      openSecond: open,
      reopen: closeAll,
      crash: closeAll,
      damage: async (session, part, how) => damage(contents, session, part, how),
      close: closeAll,
    };
  },
  durable: true,
  damageable: true,
  shared: true,
  modelRuns: 200,
});

describe("memory session store", () => {
  for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
});
