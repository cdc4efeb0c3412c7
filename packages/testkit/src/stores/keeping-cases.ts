import { deepEqual, equal } from "node:assert/strict";
import type { SessionStore } from "@sojourn/core";
import type { DefineCase } from "./define-cases.js";
import { History, show } from "./history.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

const SESSION = "room/one";

async function put(store: SessionStore, ...sessions: string[]): Promise<void> {
  for (const session of sessions) await store.putBase(session, new History().base());
}

async function listAll(store: SessionStore, prefix: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const page = await store.list(after === undefined ? { prefix, limit } : { prefix, limit, after });
    found.push(...page.sessions);
    after = page.next;
  }
  return found;
}

/** Listing, removing, pruning, and what outlives the process. */
export function keepingCases(define: DefineCase, { durable, shared }: StoreConformanceOptions): void {
  const siblings = ["room/a", "room/ab", "room/a/b", "room/a/bc", "room/b", "roomy/a", "room/a-b", "room/a.b", "room/a0", "room/é/😀"];

  define("keys that begin alike are strangers to each other", [], async (_t, store) => {
    await put(store, ...siblings);
    const history = new History();
    await store.append([{ session: "room/a", record: history.turns(1) }]);
    await store.fence("room/a", 4);
    for (const session of siblings.slice(1)) {
      const replica = await store.read(session);
      deepEqual([replica?.end.version, replica?.fence], [0, 1], session);
    }
    await store.remove("room/a", 4);
    for (const session of siblings.slice(1)) equal((await store.read(session))?.base.version, 0, session);
    await store.forget("room/a");
    deepEqual((await listAll(store, "", 100)).sort(), siblings.slice(1).sort());
  });

  define("a list goes by whole path segments", [], async (_t, store) => {
    await put(store, ...siblings);
    deepEqual((await listAll(store, "room/a", 100)).sort(), ["room/a", "room/a/b", "room/a/bc"]);
    deepEqual((await listAll(store, "room/a/", 100)).sort(), ["room/a", "room/a/b", "room/a/bc"]);
    deepEqual((await listAll(store, "roomy", 100)).sort(), ["roomy/a"]);
    deepEqual((await listAll(store, "room/é", 100)).sort(), ["room/é/😀"]);
    deepEqual(await listAll(store, "roo", 100), []);
    equal((await listAll(store, "room", 100)).length, siblings.length - 1);
  });

  define("a list comes in pages, each session once", [], async (_t, store) => {
    const sessions = Array.from({ length: 47 }, (_, i) => `room/${i % 2 === 0 ? "even" : "odd"}/${i}`);
    await put(store, ...sessions);
    for (const limit of [1, 7, 46, 47, 48]) deepEqual((await listAll(store, "", limit)).sort(), [...sessions].sort(), `pages of ${limit}`);
    const { sessions: page, next } = await store.list({ prefix: "room/odd", limit: 5 });
    equal(page.length, 5);
    equal(typeof next, "string");
    deepEqual(await store.list({ prefix: "nothing", limit: 5 }), { sessions: [], next: null });
  });

  define("a removed session is absent, and only a greater epoch writes it again", [], async (_t, store) => {
    const history = new History({ epoch: 3, version: 0, hash: 0 });
    await store.putBase(SESSION, history.base());
    await store.append([{ session: SESSION, record: history.turns(2) }]);
    deepEqual(await store.remove(SESSION, 3), { outcome: "removed" });
    equal(await store.read(SESSION), null);
    deepEqual(await store.remove(SESSION, 3), { outcome: "removed" });
    deepEqual(await store.putBase(SESSION, history.base()), { outcome: "stale", epoch: 4 });
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [{ outcome: "stale", epoch: 4 }]);
    const next = new History({ epoch: 4, version: 0, hash: 0 }, "next life");
    deepEqual(await store.append([{ session: SESSION, record: history.fork(4).turns(1) }]), [{ outcome: "gap", end: null }]);
    await store.putBase(SESSION, next.base());
    deepEqual(show(await store.read(SESSION))?.log, []);
    equal(show(await store.read(SESSION))?.state, "state 0 next life");
    deepEqual(await store.remove("room/never", 3), { outcome: "removed" });
  });

  define("a fence is forgotten only when nothing else is kept", [], async (_t, store) => {
    await put(store, SESSION);
    deepEqual(await store.forget(SESSION), { outcome: "kept" });
    equal((await store.read(SESSION))?.base.version, 0);
    await store.remove(SESSION, 1);
    deepEqual(await listAll(store, "", 10), [SESSION]);
    deepEqual(await store.forget(SESSION), { outcome: "forgotten" });
    deepEqual(await listAll(store, "", 10), []);
    deepEqual(await store.forget("room/never"), { outcome: "forgotten" });
    await put(store, SESSION);
    equal((await store.read(SESSION))?.fence, 1);
  });

  define("a prune keeps the newest bases and the log from the oldest of them", [], async (_t, store) => {
    const history = new History();
    for (let i = 0; i < 5; i++) {
      await store.putBase(SESSION, history.base());
      await store.append([{ session: SESSION, record: history.turns(2) }]);
    }
    const before = show(await store.read(SESSION));
    deepEqual(await store.prune(SESSION, 2), { keptBases: 2, removedBases: 3, removedRecords: 3, damagedBases: 0 });
    deepEqual(show(await store.read(SESSION)), before);
    deepEqual(await store.prune(SESSION, 2), { keptBases: 2, removedBases: 0, removedRecords: 0, damagedBases: 0 });
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [{ outcome: "appended" }]);
    deepEqual(await store.prune(SESSION, 0), { keptBases: 1, removedBases: 1, removedRecords: 1, damagedBases: 0 });
    deepEqual((await store.read(SESSION))?.end, history.at);
    deepEqual(await store.prune("room/never", 1), { keptBases: 0, removedBases: 0, removedRecords: 0, damagedBases: 0 });
  });

  for (const way of ["reopen", "crash"] as const) {
    define(`what was answered is there after a ${way}`, [durable], async (t, store) => {
      const history = new History({ epoch: 2, version: 0, hash: 0 });
      await store.putBase(SESSION, history.base());
      await store.append([{ session: SESSION, record: history.turns(2) }]);
      await store.append([{ session: SESSION, record: history.turns(1) }]);
      await store.fence("room/fenced", 8);
      await store.putBase("room/removed", history.base());
      await store.remove("room/removed", 2);
      const before = show(await store.read(SESSION));
      await t[way]();
      const again = await t.open();
      deepEqual(show(await again.read(SESSION)), before);
      equal((await again.read(SESSION))?.damage, null);
      deepEqual(await again.putBase("room/fenced", history.base()), { outcome: "stale", epoch: 8 });
      deepEqual(await again.putBase("room/removed", history.base()), { outcome: "stale", epoch: 3 });
      deepEqual(await again.append([{ session: SESSION, record: history.turns(1) }]), [{ outcome: "appended" }]);
      deepEqual((await again.read(SESSION))?.end, history.at);
      deepEqual((await listAll(again, "", 10)).sort(), ["room/fenced", SESSION, "room/removed"].sort());
    });
  }

  define("a crash in the middle of appends leaves a beginning of them", [durable], async (t, store) => {
    const history = new History();
    await store.putBase(SESSION, history.base());
    let acknowledged = 0;
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      const record = history.turns(1);
      const call = store.append([{ session: SESSION, record }]).then(([outcome]) => {
        if (outcome?.outcome === "appended") acknowledged = Math.max(acknowledged, record.version);
      });
      calls.push(call.catch(() => undefined));
    }
    await calls[2];
    await t.crash();
    const known = acknowledged;
    const replica = await (await t.open()).read(SESSION);
    equal(replica?.damage, null);
    equal((replica?.end.version ?? 0) >= known, true, `${known} was acknowledged, ${replica?.end.version} is there`);
  });

  define("a closed handle refuses everything, others go on", [shared], async (t, store) => {
    const second = await t.openSecond();
    await put(store, SESSION);
    await store.close();
    await store.close();
    const history = new History();
    const calls = [
      store.fence(SESSION, 1),
      store.putBase(SESSION, history.base()),
      store.append([]),
      store.read(SESSION),
      store.list({ prefix: "", limit: 1 }),
      store.remove(SESSION, 1),
      store.forget(SESSION),
      store.prune(SESSION, 1),
    ];
    for (const result of await Promise.allSettled(calls)) {
      equal(result.status === "rejected" ? (result.reason as { code: string }).code : result.status, "E_STORE_UNAVAILABLE");
    }
    equal((await second.read(SESSION))?.base.version, 0);
  });
}
