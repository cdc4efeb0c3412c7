import { describe, expect, test } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { resolveLimits } from "../limits/catalogue.js";
import type { Clock, Scheduled } from "../ports/clock.js";
import type { NodeInfo, RecordDraft } from "../ports/directory.js";
import type { DirectoryChange, DirectoryContents, DirectoryStore } from "../ports/directory-store.js";
import { DirectoryEngine } from "./directory-engine.js";

/** Holds every append until the test lets it through. */
class HeldStore implements DirectoryStore {
  readonly appends: { readonly changes: readonly DirectoryChange[]; readonly done: () => void; readonly fail: (e: Error) => void }[] = [];
  closed = false;
  async load(): Promise<DirectoryContents> {
    return { records: [], nodes: [] };
  }
  append(changes: readonly DirectoryChange[]): Promise<void> {
    return new Promise((done, fail) => this.appends.push({ changes, done, fail }));
  }
  async close(): Promise<void> {
    this.closed = true;
  }
}

/** One task at a time is enough here. */
class OneTaskClock implements Clock {
  at = 0;
  task: { readonly dueAt: number; readonly run: () => void } | null = null;
  now(): number {
    return this.at;
  }
  wallNow(): number {
    return 0;
  }
  schedule(delayMs: number, run: () => void): Scheduled {
    const task = { dueAt: this.at + delayMs, run };
    this.task = task;
    return {
      cancel: () => {
        if (this.task === task) this.task = null;
      },
    };
  }
  /** Runs the task that is there, at this time. */
  fire(at: number): void {
    const task = this.task;
    this.at = at;
    this.task = null;
    task?.run();
  }
}

const info = (id: string): NodeInfo => ({ id, place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false });
const draft = (epoch = 1): RecordDraft => ({
  epoch,
  owner: "a#1",
  inSync: [],
  heir: null,
  ended: false,
  strategy: "replica",
  stored: false,
  writer: "a#1/1",
});
const turn = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

async function start() {
  const store = new HeldStore();
  const clock = new OneTaskClock();
  const failures: SojournError[] = [];
  const log: string[] = [];
  const engine = await DirectoryEngine.open({ clock, limits: resolveLimits(), store, onFailure: (e) => failures.push(e) });
  const answer =
    (name: string) =>
    (result: unknown): void => {
      log.push(`${name}: ${result instanceof SojournError ? result.code : JSON.stringify(result)}`);
    };
  const flush = async (): Promise<void> => {
    await turn();
    store.appends.shift()?.done();
    await turn();
  };
  engine.register(info("a"), 1_000, answer("register"));
  await flush();
  expect(log.splice(0)).toEqual(['register: "a#1"']);
  return { store, clock, failures, log, engine, answer, flush };
}

describe("what a change shows waits for the change to be durable", () => {
  test("answers, conflicts, reads, lists and events of an append come after it, in order", async () => {
    const { store, log, engine, answer, flush } = await start();
    engine.watchRecords("a#1", (_key, record) => log.push(`event ${record.revision}`));
    engine.compareAndSet("r/1", 0, draft(), answer("write"));
    engine.compareAndSet("r/1", 0, draft(), answer("loser"));
    engine.read("r/1", answer("read"));
    engine.read("r/2", answer("elsewhere"));
    engine.listRecords("a#1", (result) => log.push(`list ${result instanceof SojournError ? result.code : result.size}`));
    engine.renew("a#1", answer("renew"));
    await turn();
    expect(log.splice(0)).toEqual(["elsewhere: null", 'renew: "renewed"']);
    expect(store.appends.map((a) => a.changes.length)).toEqual([1]);
    await flush();
    expect(log.map((line) => line.slice(0, 24))).toEqual([
      "event 1",
      'write: {"outcome":"appli',
      'loser: {"outcome":"confl',
      'read: {"revision":1,"epo',
      "list 1",
    ]);
  });

  test("changes of one tick, and those that come during an append, share one append", async () => {
    const { store, log, engine, answer, flush } = await start();
    engine.compareAndSet("r/1", 0, draft(), answer("1"));
    engine.compareAndSet("r/2", 0, draft(), answer("2"));
    await turn();
    engine.compareAndSet("r/1", 1, draft(), answer("3"));
    engine.compareAndSet("r/3", 0, draft(), answer("4"));
    await turn();
    expect(store.appends.map((a) => a.changes.length)).toEqual([2]);
    await flush();
    expect(store.appends.map((a) => a.changes.length)).toEqual([2]);
    expect(log.length).toBe(2);
    engine.read("r/2", answer("settled"));
    expect(log.length).toBe(3);
    engine.read("r/1", answer("unsettled"));
    expect(log.length).toBe(3);
    await flush();
    expect(log.length).toBe(6);
  });

  test("the end of a lease is told and answered once it is durable", async () => {
    const { clock, log, engine, answer, flush } = await start();
    engine.watchNodes((entry) => log.push(`${entry.ref} ${entry.ended}`));
    expect(log.splice(0)).toEqual(["a#1 false"]);
    clock.fire(1_000);
    engine.renew("a#1", answer("renew"));
    await turn();
    expect(log).toEqual([]);
    await flush();
    expect(log).toEqual(["a#1 true", 'renew: "ended"']);
  });

  test("a watch that starts between a change and its flush is told the change once", async () => {
    const { log, engine, answer, flush } = await start();
    engine.compareAndSet("r/1", 0, draft(), answer("w"));
    engine.watchRecords(
      "a#1",
      (_key, record) => log.push(`event ${record.revision}`),
      () => log.push("replayed"),
    );
    await flush();
    expect(log.slice(1)).toEqual(["event 1", "replayed"]);
  });
});

describe("when the store fails", () => {
  test("changes under way have an unknown outcome, the rest was not carried out, and the engine stays down", async () => {
    const { store, clock, failures, log, engine, answer } = await start();
    engine.watchRecords("a#1", () => log.push("event"));
    engine.compareAndSet("r/1", 0, draft(), answer("write"));
    engine.compareAndSet("r/1", 0, draft(), answer("loser"));
    engine.read("r/1", answer("read"));
    await turn();
    engine.compareAndSet("r/2", 0, draft(), answer("next"));
    store.appends[0]?.fail(new Error("no space"));
    await turn();
    expect(log.splice(0)).toEqual([
      "write: E_DIRECTORY_UNKNOWN_OUTCOME",
      "loser: E_DIRECTORY_UNAVAILABLE",
      "read: E_DIRECTORY_UNAVAILABLE",
      "next: E_DIRECTORY_UNKNOWN_OUTCOME",
    ]);
    expect(failures.map((e) => e.code)).toEqual(["E_DISK"]);
    engine.compareAndSet("r/3", 0, draft(), answer("later"));
    engine.read("r/3", answer("later"));
    engine.renew("a#1", answer("later"));
    expect(new Set(log)).toEqual(new Set(["later: E_DIRECTORY_UNAVAILABLE"]));
    expect(clock.task).toBeNull();
    await engine.close();
    expect(store.closed).toBe(true);
  });
});

describe("stopping", () => {
  test("close answers what was taken; abort answers nobody", async () => {
    const first = await start();
    first.engine.compareAndSet("r/1", 0, draft(), first.answer("taken"));
    await turn();
    const closed = first.engine.close();
    first.engine.compareAndSet("r/2", 0, draft(), first.answer("late"));
    await first.flush();
    await closed;
    expect(first.log).toEqual(["late: E_DIRECTORY_UNAVAILABLE", 'taken: {"outcome":"applied","revision":1}']);

    const second = await start();
    second.engine.compareAndSet("r/1", 0, draft(), second.answer("taken"));
    await turn();
    const aborted = second.engine.abort();
    await second.flush();
    await aborted;
    expect(second.log).toEqual([]);
    expect(second.store.closed).toBe(true);
  });
});

describe("a directory that stood still", () => {
  test("puts every lease off by the time it could not hear renewals", async () => {
    const { clock, log, engine, answer, flush } = await start();
    clock.fire(4_000);
    engine.renew("a#1", answer("renew"));
    expect(log.splice(0)).toEqual(['renew: "renewed"']);
    expect(clock.task?.dueAt).toBe(4_100);
    clock.fire(4_100);
    expect(clock.task?.dueAt).toBe(5_000);
    clock.fire(5_000);
    engine.renew("a#1", answer("renew"));
    await flush();
    expect(log).toEqual(['renew: "ended"']);
  });

  test("does not mistake an ordinary delay of its clock for a stall", async () => {
    const { clock, log, engine, answer, flush } = await start();
    clock.fire(1_050);
    engine.renew("a#1", answer("renew"));
    await flush();
    expect(log).toEqual(['renew: "ended"']);
  });

  test("a shorter lease that comes later is ended in its own time", async () => {
    const { clock, engine, answer } = await start();
    expect(clock.task?.dueAt).toBe(1_000);
    engine.register(info("b"), 300, answer("register"));
    expect(clock.task?.dueAt).toBe(300);
  });
});
