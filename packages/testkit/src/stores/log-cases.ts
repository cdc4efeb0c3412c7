import { deepEqual, equal } from "node:assert/strict";
import type { AppendOutcome, SessionStore } from "@sojourn/core";
import { CASE_LIMITS, type DefineCase } from "./define-cases.js";
import { History, show } from "./history.js";

const SESSION = "room/one";
const APPENDED: AppendOutcome = { outcome: "appended" };

async function based(store: SessionStore, session = SESSION): Promise<History> {
  const history = new History();
  await store.putBase(session, history.base());
  return history;
}

/** The log: what extends it, what does not, and groups. */
export function logCases(define: DefineCase): void {
  define("records come back in order, with their tables, and end where the last ends", [], async (_t, store) => {
    const history = await based(store);
    deepEqual(await store.append([{ session: SESSION, record: history.turns(2) }]), [APPENDED]);
    deepEqual(await store.append([{ session: SESSION, record: history.turns(1) }]), [APPENDED]);
    const replica = await store.read(SESSION);
    deepEqual(show(replica)?.log, ["table 0", "1/1 delta 1 ", "1/2 delta 2 ", "1/3 delta 3 "]);
    deepEqual(replica?.end, history.at);
    equal(replica.damage, null);
  });

  define("appends that do not wait for each other keep their order", [], async (_t, store) => {
    const history = await based(store);
    const calls = Array.from({ length: 40 }, () => store.append([{ session: SESSION, record: history.turns(1) }]));
    deepEqual((await Promise.all(calls)).flat(), Array(40).fill(APPENDED));
    equal((await store.read(SESSION))?.end.version, 40);
  });

  define("what is there already is appended again without a change", [], async (_t, store) => {
    const history = await based(store);
    const first = history.turns(2);
    const second = history.turns(1);
    const entries = [first, second].map((record) => ({ session: SESSION, record }));
    await store.append(entries);
    deepEqual(await store.append(entries), [APPENDED, APPENDED]);
    deepEqual(await store.append([{ session: SESSION, record: first }]), [APPENDED]);
    equal(show(await store.read(SESSION))?.log.filter((line) => line.includes("delta")).length, 3);
  });

  define("a record that does not extend the log is a gap that says where the log ends", [], async (_t, store) => {
    const history = await based(store);
    await store.append([{ session: SESSION, record: history.turns(2) }]);
    const end = history.at;
    const missed = history.turns(1);
    const late = history.turns(1);
    deepEqual(await store.append([{ session: SESSION, record: late }]), [{ outcome: "gap", end }]);
    const other = new History(end, "another branch");
    other.turns(1);
    deepEqual(await store.append([{ session: SESSION, record: other.turns(1) }]), [{ outcome: "gap", end }]);
    // The same version, but not the same history.
    const crooked = { ...missed, fromHash: missed.fromHash ^ 1 };
    deepEqual(await store.append([{ session: SESSION, record: crooked }]), [{ outcome: "gap", end }]);
    deepEqual(await store.append([missed, late].map((record) => ({ session: SESSION, record }))), [APPENDED, APPENDED]);
    deepEqual((await store.read(SESSION))?.end, history.at);
  });

  define("a log needs a base", [], async (_t, store) => {
    const history = new History();
    const record = history.turns(1);
    deepEqual(await store.append([{ session: SESSION, record }]), [{ outcome: "gap", end: null }]);
    await store.fence(SESSION, 1);
    deepEqual(await store.append([{ session: SESSION, record }]), [{ outcome: "gap", end: null }]);
    equal(await store.read(SESSION), null);
  });

  define("a new epoch goes on where the log ends", [], async (_t, store) => {
    const history = await based(store);
    await store.append([{ session: SESSION, record: history.turns(2) }]);
    const next = history.fork(3);
    deepEqual(await store.append([{ session: SESSION, record: next.turns(1) }]), [APPENDED]);
    const replica = await store.read(SESSION);
    deepEqual([replica?.end, replica?.fence], [next.at, 3]);
  });

  define("a new epoch that went on from further back overrules with its base", [], async (_t, store) => {
    const history = await based(store);
    await store.append([{ session: SESSION, record: history.turns(2) }]);
    const next = history.fork(2, "other");
    await store.append([{ session: SESSION, record: history.turns(3) }]);
    const record = next.turns(1);
    deepEqual(await store.append([{ session: SESSION, record }]), [{ outcome: "gap", end: history.at }]);
    await store.putBase(SESSION, next.base());
    deepEqual(await store.append([{ session: SESSION, record: next.turns(1) }]), [APPENDED]);
    const replica = await store.read(SESSION);
    deepEqual(show(replica)?.log, ["table 3", "2/4 delta 4 other"]);
    deepEqual([replica?.end, replica?.damage], [next.at, null]);
  });

  define("a base that overtakes its log leaves no hole in it", [], async (_t, store) => {
    const history = await based(store);
    const slow = history.turns(2);
    await store.putBase(SESSION, history.base());
    deepEqual(await store.append([slow, history.turns(2)].map((record) => ({ session: SESSION, record }))), [APPENDED, APPENDED]);
    const replica = await store.read(SESSION);
    deepEqual([replica?.base.version, replica?.end.version, replica?.damage], [2, 4, null]);
    equal((await store.prune(SESSION, 2)).removedRecords, 0);
  });

  define("each entry of a group has its own outcome", [], async (_t, store) => {
    const good = await based(store, "room/good");
    const fenced = await based(store, "room/fenced");
    await store.fence("room/fenced", 9);
    const gapped = await based(store, "room/gap");
    gapped.turns(1);
    const large = await based(store, "room/large");
    const twice = await based(store, "room/twice");
    const outcomes = await store.append([
      { session: "room/fenced", record: fenced.turns(1) },
      { session: "room/good", record: good.turns(1) },
      { session: "room/gap", record: gapped.turns(1) },
      { session: "room/large", record: large.turns(1, CASE_LIMITS.maxStoreRecordBytes) },
      { session: "no key", record: new History().turns(1) },
      { session: "room/twice", record: twice.turns(1) },
      { session: "room/absent", record: new History().turns(1) },
      { session: "room/twice", record: twice.turns(1) },
    ]);
    const plain = outcomes.map((outcome) => (outcome.outcome === "failed" ? outcome.error.code : outcome));
    deepEqual(plain, [
      { outcome: "stale", epoch: 9 },
      APPENDED,
      { outcome: "gap", end: new History().at },
      "E_STORE_TOO_LARGE",
      "E_SESSION_KEY_INVALID",
      APPENDED,
      { outcome: "gap", end: null },
      APPENDED,
    ]);
    deepEqual((await store.read("room/good"))?.end, good.at);
    deepEqual((await store.read("room/twice"))?.end, twice.at);
    equal((await store.read("room/fenced"))?.end.version, 0);
    deepEqual(await store.append([]), []);
  });

  define("many sessions append at the same time", [], async (_t, store) => {
    const sessions = Array.from({ length: 64 }, (_, i) => `room/${i}`);
    const histories = await Promise.all(sessions.map((session) => based(store, session)));
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all(
        sessions.map((session, i) => store.append([{ session, record: (histories[i] as History).turns(2) }])),
      );
      deepEqual(outcomes.flat(), Array(64).fill(APPENDED));
    }
    for (const [i, session] of sessions.entries()) deepEqual((await store.read(session))?.end, histories[i]?.at);
  });
}
