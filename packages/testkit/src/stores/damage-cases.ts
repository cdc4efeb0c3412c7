import { deepEqual, equal, rejects } from "node:assert/strict";
import type { SessionStore } from "@sojourn/core";
import type { DefineCase } from "./define-cases.js";
import { History, takeOver } from "./history.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

const SESSION = "room/one";

/** Base at 0, records to 4, base at 4, records to 8, one record a turn. */
async function fill(store: SessionStore): Promise<History> {
  const history = new History();
  for (let base = 0; base < 2; base++) {
    await store.putBase(SESSION, history.base());
    for (let i = 0; i < 4; i++) await store.append([{ session: SESSION, record: history.turns(1) }]);
  }
  return history;
}

/** Bytes that changed where they lie: never state, always told, and the best that can be proven is given. */
export function damageCases(define: DefineCase, { damageable }: StoreConformanceOptions): void {
  for (const how of ["flip", "cut"] as const) {
    define(`a ${how} in the newest base falls back to the one before and its log`, [damageable], async (t, store) => {
      const history = await fill(store);
      await t.damage(SESSION, "newest base", how);
      const replica = await (await t.open()).read(SESSION);
      deepEqual([replica?.base.version, replica?.end], [0, history.at]);
      deepEqual(replica?.damage, { damagedBases: 1, cutRecords: 0, newest: history.at, lostTurns: 0 });
    });

    define(`a ${how} in the last record cuts the log there, and the next owner goes on`, [damageable], async (t, store) => {
      const history = await fill(store);
      await t.damage(SESSION, "last record", how);
      const again = await t.open();
      const replica = await takeOver(again, SESSION, 2);
      deepEqual([replica?.base.version, replica?.end.version], [4, 7]);
      deepEqual(replica?.damage, { damagedBases: 0, cutRecords: 1, newest: history.at, lostTurns: 1 });
      const next = new History({ ...(replica?.end ?? history.at), epoch: 2 }, "after the loss");
      const record = next.turns(1);
      // The store's end is where the damage is: only a base gets past it.
      equal((await again.append([{ session: SESSION, record }]))[0]?.outcome, "gap");
      await again.putBase(SESSION, next.base());
      await again.append([{ session: SESSION, record: next.turns(1) }]);
      const after = await again.read(SESSION);
      deepEqual([after?.end, after?.damage], [next.at, null]);
    });

    define(`a ${how} in the middle of the log cuts what comes after it`, [damageable], async (t, store) => {
      const history = await fill(store);
      await t.damage(SESSION, "middle record", how);
      const replica = await (await t.open()).read(SESSION);
      // Records 5 to 8 follow the newest base; the one in the middle is 7.
      deepEqual([replica?.base.version, replica?.end.version], [4, 6]);
      deepEqual(replica?.damage, { damagedBases: 0, cutRecords: 2, newest: history.at, lostTurns: 2 });
    });

    define(`a prune with a ${how} in the newest base keeps the last good one and its log`, [damageable], async (t, store) => {
      const history = await fill(store);
      await t.damage(SESSION, "newest base", how);
      const again = await t.open();
      deepEqual(await again.prune(SESSION, 1), { keptBases: 2, removedBases: 0, removedRecords: 0, damagedBases: 1 });
      deepEqual((await again.read(SESSION))?.end, history.at);
    });
  }

  define("damage in every base is an error, not an absent session", [damageable], async (t, store) => {
    await store.putBase(SESSION, new History().base());
    await t.damage(SESSION, "newest base", "flip");
    const again = await t.open();
    await rejects(again.read(SESSION), { code: "E_STORE_DAMAGED" });
    await again.putBase(SESSION, new History({ epoch: 2, version: 0, hash: 0 }).base());
    equal((await again.read(SESSION))?.base.epoch, 2);
  });

  define("damage of one session is no matter for another", [damageable], async (t, store) => {
    await fill(store);
    await store.putBase("room/other", new History().base());
    await t.damage(SESSION, "newest base", "cut");
    const again = await t.open();
    equal((await again.read("room/other"))?.damage, null);
  });
}
