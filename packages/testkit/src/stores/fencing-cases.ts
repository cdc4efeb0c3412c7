import { deepEqual, equal, ok } from "node:assert/strict";
import type { SessionStore } from "@sojourn/core";
import type { DefineCase } from "./define-cases.js";
import { barrier, History, show, takeOver } from "./history.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

const SESSION = "room/one";
const ROUNDS = 12;

/** Fences: what an older epoch may still do (nothing), and what is seen after one (everything that was acknowledged). */
export function fencingCases(define: DefineCase, { shared }: StoreConformanceOptions): void {
  define("after a fence an older epoch changes nothing and is told the newest", [], async (_t, store) => {
    const history = new History({ epoch: 3, version: 0, hash: 0 });
    await store.putBase(SESSION, history.base());
    await store.append([{ session: SESSION, record: history.turns(1) }]);
    const before = show(await store.read(SESSION));
    deepEqual(await store.fence(SESSION, 5), { outcome: "fenced" });
    const stale = { outcome: "stale", epoch: 5 };
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [stale]);
    deepEqual(await store.putBase(SESSION, history.base()), stale);
    deepEqual(await store.fence(SESSION, 4), stale);
    deepEqual(await store.remove(SESSION, 3), stale);
    deepEqual(show(await store.read(SESSION)), { ...before, fence: 5 });
    deepEqual(await store.fence(SESSION, 5), { outcome: "fenced" });
  });

  define("a write of a newer epoch fences too", [], async (_t, store) => {
    const history = new History();
    await store.putBase(SESSION, history.base());
    const byBase = history.fork(4);
    await store.putBase(SESSION, byBase.base());
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [{ outcome: "stale", epoch: 4 }]);
    const byRecord = byBase.fork(6);
    await store.append([{ session: SESSION, record: byRecord.turns(1) }]);
    deepEqual(await store.putBase(SESSION, byBase.base()), { outcome: "stale", epoch: 6 });
  });

  define("a fence before the first write holds", [], async (_t, store) => {
    await store.fence(SESSION, 2);
    deepEqual(await store.putBase(SESSION, new History().base()), { outcome: "stale", epoch: 2 });
    equal(await store.read(SESSION), null);
  });

  define("a base that is under way when the fence comes does not arrive", [shared], async (t, store) => {
    const second = await t.openSecond();
    const history = new History();
    await store.putBase(SESSION, history.base());
    const before = show(await store.read(SESSION));
    history.turns(1);
    async function* chunks() {
      yield new Uint8Array(9_000);
      await second.fence(SESSION, 2);
      yield new Uint8Array(9_000);
    }
    deepEqual(await store.putBase(SESSION, { ...history.base(), chunks: chunks() }), { outcome: "stale", epoch: 2 });
    deepEqual(show(await second.read(SESSION)), { ...before, fence: 2 });
  });

  define("a second handle sees what the first wrote, and fences it", [shared], async (t, store) => {
    const second = await t.openSecond();
    const history = new History();
    await store.putBase(SESSION, history.base());
    await store.append([{ session: SESSION, record: history.turns(2) }]);
    deepEqual((await takeOver(second, SESSION, 2))?.end, history.at);
    const next = history.fork(2);
    deepEqual(await second.append([{ session: SESSION, record: next.turns(1) }]), [{ outcome: "appended" }]);
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [{ outcome: "stale", epoch: 2 }]);
    deepEqual((await store.read(SESSION))?.end, next.at);
  });

  define("of racing writers the newer epoch wins, and nothing acknowledged is lost", [shared], async (t, store) => {
    const stores = [store, await t.openSecond()];
    let history = new History();
    await store.putBase(SESSION, history.base());
    for (let round = 0; round < ROUNDS; round++) {
      const [old, next] = round % 2 === 0 ? stores : stores.toReversed();
      const epoch = history.epoch + 1 + (round % 2);
      const mine = history;
      const begun = barrier();
      const writing = writeUntilStale(old as SessionStore, mine, begun.reach);
      await begun.reached;
      const replica = await takeOver(next as SessionStore, SESSION, epoch);
      const taken = new History({ ...(replica?.end ?? mine.at), epoch }, `round ${round}`);
      const outcomes = await (next as SessionStore).append([{ session: SESSION, record: taken.turns(2) }]);
      const acknowledged = await writing;
      ok((replica?.end.version ?? -1) >= acknowledged, `version ${acknowledged} was acknowledged, ${replica?.end.version} was read`);
      deepEqual(outcomes, [{ outcome: "appended" }]);
      const after = await (old as SessionStore).read(SESSION);
      deepEqual([after?.end, after?.damage], [taken.at, null]);
      history = taken;
    }
  });
}

/** Appends turn after turn, some at the same time; the last version that was acknowledged before the fence. */
async function writeUntilStale(store: SessionStore, history: History, begun: () => void): Promise<number> {
  let acknowledged = history.version;
  for (let i = 0; ; i++) {
    const records = [history.turns(1), history.turns(1), history.turns(1)];
    const calls = records.map((record) => store.append([{ session: SESSION, record }]));
    if (i === 2) begun();
    for (const [at, call] of calls.entries()) {
      const [outcome] = await call;
      if (outcome?.outcome === "appended") acknowledged = records[at]?.version ?? acknowledged;
      else if (outcome?.outcome !== "failed") {
        await Promise.all(calls);
        return acknowledged;
      }
    }
  }
}
