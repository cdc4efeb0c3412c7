import { VirtualClock } from "@sojourn/testkit";
import { describe, expect, it } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { resolveLimits } from "../limits/catalogue.js";
import type { AppendOutcome, LogEntry, SessionStore } from "../ports/session-store.js";
import { StoreWriter } from "./store-writer.js";

const entry = (session: string, bytes = 1): LogEntry => ({
  session,
  record: { epoch: 1, fromVersion: 0, fromHash: 0, version: 1, hash: 1, deltas: [new Uint8Array(bytes)], table: null },
});

/** A store whose appends are answered by hand. */
function writerOver(limits = {}) {
  const clock = new VirtualClock();
  const asked: { readonly sessions: string[]; answer(outcomes?: AppendOutcome[]): void; fail(error: unknown): void }[] = [];
  const store = {
    append: (entries: readonly LogEntry[]) =>
      new Promise<readonly AppendOutcome[]>((resolve, reject) => {
        const all = entries.map((): AppendOutcome => ({ outcome: "appended" }));
        asked.push({ sessions: entries.map(({ session }) => session), answer: (outcomes = all) => resolve(outcomes), fail: reject });
      }),
    fence: () => new Promise(() => undefined),
  } as unknown as SessionStore;
  const writer = new StoreWriter(store, clock, resolveLimits({ storeTimeoutMs: 1_000, ...limits }));
  const done: string[] = [];
  const append = (session: string, bytes = 1) =>
    writer.append(entry(session, bytes), ({ outcome }) => {
      done.push(`${session} ${outcome}`);
    });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { clock, asked, writer, append, settle, done };
}

describe("StoreWriter", () => {
  it("writes at once when nothing is under way, and what comes meanwhile in one write", async () => {
    const { asked, append, settle, done } = writerOver();
    append("a/1");
    append("a/2");
    append("a/3");
    expect(asked.map(({ sessions }) => sessions)).toEqual([["a/1"]]);
    asked[0]?.answer();
    await settle();
    expect(done).toEqual(["a/1 appended"]);
    expect(asked[1]?.sessions).toEqual(["a/2", "a/3"]);
    asked[1]?.answer([{ outcome: "appended" }, { outcome: "stale", epoch: 4 }]);
    await settle();
    expect(done.slice(1)).toEqual(["a/2 appended", "a/3 stale"]);
    expect(asked).toHaveLength(2);
  });

  it("bounds a write by its entries and its bytes; a large one goes alone", async () => {
    const { asked, append, settle } = writerOver({ maxStoreAppendEntries: 2, maxStoreRecordBytes: 1_024 });
    for (const [session, bytes] of [
      ["a/0", 1],
      ["a/1", 1],
      ["a/2", 1],
      ["a/3", 1],
      ["a/4", 4_000],
      ["a/5", 1],
    ] as const)
      append(session, bytes);
    for (let i = 0; i < 4; i++) {
      asked[i]?.answer();
      await settle();
    }
    expect(asked.map(({ sessions }) => sessions)).toEqual([["a/0"], ["a/1", "a/2"], ["a/3"], ["a/4"], ["a/5"]]);
  });

  it("tells everybody of a write that fails, and goes on", async () => {
    const { asked, append, settle, done } = writerOver();
    append("a/1");
    append("a/2");
    asked[0]?.fail(new SojournError("E_STORE_FULL"));
    await settle();
    expect(done).toEqual(["a/1 failed"]);
    asked[1]?.answer([]);
    await settle();
    expect(done).toEqual(["a/1 failed", "a/2 failed"]);
  });

  it("gives up what is not answered in time, and ignores its late answer", async () => {
    const { clock, asked, writer, append, settle, done } = writerOver();
    append("a/1");
    const fenced = writer.fence("a/1", 2).catch((error: SojournError) => error.code);
    await clock.run(1_001);
    expect(await fenced).toBe("E_STORE_UNAVAILABLE");
    expect(done).toEqual(["a/1 failed"]);
    asked[0]?.answer();
    await settle();
    expect(done).toEqual(["a/1 failed"]);
    expect(clock.pending).toBe(0);
  });

  it("says nothing any more once it is stopped", async () => {
    const { asked, writer, append, settle, done } = writerOver();
    append("a/1");
    append("a/2");
    writer.stop();
    asked[0]?.answer();
    await settle();
    expect([done, asked.length]).toEqual([[], 1]);
  });
});
