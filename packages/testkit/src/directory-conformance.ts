import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Directory, NodeEntry, NodeInfo, NodeRef, RecordDraft, SessionRecord } from "@sojourn/core";
import { directoryModelCase } from "./directory-model.js";
import type { ConformanceCase, DirectoryConformanceOptions, DirectoryUnderTest } from "./directory-under-test.js";
import { Recorder } from "./recorder.js";

const TTL_MS = 1_000;

/** Everything that the directory port promises, as cases. */
export function directoryConformance(options: DirectoryConformanceOptions): readonly ConformanceCase[] {
  const { durable, handlesSurvive, guards } = options;
  const slackMs = options.leaseSlackMs ?? 0;
  const cases: ConformanceCase[] = [];
  const define = (name: string, needs: readonly (true | string)[], body: (t: DirectoryUnderTest, d: Directory) => Promise<void>): void => {
    const missing = needs.find((need) => need !== true);
    cases.push({
      name,
      ...(missing === undefined ? {} : { skipped: String(missing) }),
      async run() {
        const underTest = await options.start();
        try {
          await body(underTest, await underTest.open());
        } finally {
          await underTest.close();
        }
      },
    });
  };

  define("each registration of a node is a greater incarnation, and ends the one before", [], async (_t, d) => {
    const first = await d.register(node("a"), TTL_MS);
    const other = await d.register(node("b"), TTL_MS);
    const second = await d.register(node("a"), TTL_MS);
    deepEqual([first, other, second], ["a#1", "b#1", "a#2"]);
    deepEqual([await d.renew(first), await d.renew(other), await d.renew(second)], ["ended", "renewed", "renewed"]);
    equal(await d.renew("nobody#1"), "ended");
  });

  define("a lease lives for its whole length after each renewal, then ends for good", [], async (t, d) => {
    const ref = await d.register(node("a"), TTL_MS);
    for (let i = 0; i < 3; i++) {
      await t.advance(TTL_MS - 1);
      equal(await d.renew(ref), "renewed");
    }
    await t.advance(TTL_MS + slackMs);
    equal(await d.renew(ref), "ended");
    equal(await d.renew(ref), "ended");
    const next = await d.register(node("a"), TTL_MS);
    equal(next, "a#2");
    equal(await d.renew(ref), "ended");
  });

  define("leases of different lengths end each in its time", [], async (t, d) => {
    const long = await d.register(node("long"), 5 * TTL_MS);
    const short = await d.register(node("short"), TTL_MS);
    await t.advance(TTL_MS + slackMs);
    deepEqual([await d.renew(short), await d.renew(long)], ["ended", "renewed"]);
    await t.advance(5 * TTL_MS + slackMs);
    equal(await d.renew(long), "ended");
  });

  define("resigning ends a lease at once; twice or by a stranger does nothing", [], async (_t, d) => {
    const ref = await d.register(node("a"), TTL_MS);
    await d.resign("a#7");
    equal(await d.renew(ref), "renewed");
    await d.resign(ref);
    await d.resign(ref);
    equal(await d.renew(ref), "ended");
    await rejects(d.update(ref, node("a")), { code: "E_LEASE_ENDED" });
  });

  define("a node that cannot be is refused", [], async (_t, d) => {
    await rejects(d.register(node("no spaces"), TTL_MS), { code: "E_CONFIG_INVALID" });
    await rejects(d.register(node("a"), 0), { code: "E_CONFIG_INVALID" });
    const ref = await d.register(node("a"), TTL_MS);
    await rejects(d.update(ref, node("b")), { code: "E_CONFIG_INVALID" });
  });

  define("compare-and-set writes what is expected and nothing else", [], async (_t, d) => {
    const ref = await d.register(node("a"), TTL_MS);
    const key = "room/one";
    equal(await d.read(key), null);
    deepEqual(await d.compareAndSet(key, 3, draft(ref)), { outcome: "conflict", current: null });
    deepEqual(await d.compareAndSet(key, 0, draft(ref)), { outcome: "applied", revision: 1 });
    const first = { revision: 1, ...draft(ref) };
    deepEqual(await d.read(key), first);
    deepEqual(await d.compareAndSet(key, 0, draft(ref, { epoch: 9 })), { outcome: "conflict", current: first });
    deepEqual(await d.compareAndSet(key, 2, draft(ref, { epoch: 9 })), { outcome: "conflict", current: first });
    const full = draft(ref, { epoch: 4, inSync: ["b#1", "c#22"], heir: "b#1", writer: `${ref}/2` });
    deepEqual(await d.compareAndSet(key, 1, full), { outcome: "applied", revision: 2 });
    deepEqual(await d.read(key), { revision: 2, ...full });
    equal(await d.read("room/two"), null);
  });

  define("keys and names of every alphabet come back as they were", [], async (_t, d) => {
    const ref = await d.register(node("A.b_c-9"), TTL_MS);
    const key = `room/${"語".repeat(200)}-é-😀`;
    await d.compareAndSet(key, 0, draft(ref));
    deepEqual(await d.read(key), { revision: 1, ...draft(ref) });
    deepEqual([...(await d.listRecords(ref)).keys()], [key]);
    await rejects(d.compareAndSet("no-kind", 0, draft(ref)), { code: "E_SESSION_KEY_INVALID" });
  });

  define("of writers that expect the same revision exactly one wins", [], async (t, d) => {
    const second = await t.open();
    const ref = await d.register(node("a"), TTL_MS);
    for (let round = 0; round < 5; round++) {
      const writers = Array.from({ length: 16 }, (_, i) => `${ref}/${round}.${i}`);
      const outcomes = await Promise.all(
        writers.map((writer, i) => (i % 2 === 0 ? d : second).compareAndSet("room/one", round, draft(ref, { writer }))),
      );
      const won = writers.filter((_, i) => outcomes[i]?.outcome === "applied");
      equal(won.length, 1);
      const standing = await second.read("room/one");
      deepEqual(standing, { revision: round + 1, ...draft(ref, { writer: won[0] as string }) });
      for (const outcome of outcomes) if (outcome.outcome === "conflict") deepEqual(outcome.current, standing);
    }
  });

  define("an answered write is seen by everybody", [], async (t, d) => {
    const second = await t.open();
    const ref = await d.register(node("a"), TTL_MS);
    for (let i = 0; i < 20; i++) {
      await d.compareAndSet("room/one", i, draft(ref));
      equal((await second.read("room/one"))?.revision, i + 1);
    }
    deepEqual([...(await second.listRecords(ref)).keys()], ["room/one"]);
  });

  define("an ended session leaves a tombstone", [], async (_t, d) => {
    const ref = await d.register(node("a"), TTL_MS);
    await d.compareAndSet("room/one", 0, draft(ref, { epoch: 3 }));
    const end = draft(ref, { epoch: 3, ended: true });
    deepEqual(await d.compareAndSet("room/one", 1, end), { outcome: "applied", revision: 2 });
    deepEqual(await d.compareAndSet("room/one", 0, draft(ref, { epoch: 9 })), { outcome: "conflict", current: { revision: 2, ...end } });
    deepEqual(await d.compareAndSet("room/one", 2, draft(ref, { epoch: 4 })), { outcome: "applied", revision: 3 });
  });

  define("an epoch never goes back, and only a greater one revives", [guards], async (_t, d) => {
    const ref = await d.register(node("a"), TTL_MS);
    await d.compareAndSet("room/one", 0, draft(ref, { epoch: 3 }));
    await rejects(d.compareAndSet("room/one", 1, draft(ref, { epoch: 2 })), { code: "E_EPOCH_STALE" });
    await d.compareAndSet("room/one", 1, draft(ref, { epoch: 3, ended: true }));
    await rejects(d.compareAndSet("room/one", 2, draft(ref, { epoch: 3 })), { code: "E_EPOCH_STALE" });
    equal((await d.read("room/one"))?.revision, 2);
    // Against the wrong revision it is a conflict like any other: the caller learns what stands.
    equal((await d.compareAndSet("room/one", 1, draft(ref, { epoch: 1 }))).outcome, "conflict");
  });

  define("a writer whose lease has ended writes nothing", [guards], async (t, d) => {
    const dead = await d.register(node("dead"), TTL_MS);
    const live = await d.register(node("live"), 10 * TTL_MS);
    await d.compareAndSet("room/one", 0, draft(dead));
    await t.advance(TTL_MS + slackMs);
    await rejects(d.compareAndSet("room/one", 1, draft(dead)), { code: "E_LEASE_ENDED" });
    await rejects(d.compareAndSet("room/one", 1, draft("stranger#1")), { code: "E_LEASE_ENDED" });
    // Naming a dead node is no offence: the protocol cannot always know.
    deepEqual(await d.compareAndSet("room/one", 1, draft(live, { inSync: [dead] })), { outcome: "applied", revision: 2 });
    const again = await d.register(node("live"), TTL_MS);
    await rejects(d.compareAndSet("room/one", 2, draft(live)), { code: "E_LEASE_ENDED" });
    deepEqual(await d.compareAndSet("room/one", 2, draft(again)), { outcome: "applied", revision: 3 });
  });

  define("listing finds each role, and nothing of the past", [], async (_t, d) => {
    const a = await d.register(node("a"), TTL_MS);
    await d.compareAndSet("room/owner", 0, draft(a));
    await d.compareAndSet("room/sync", 0, draft(a, { owner: "b#1", inSync: ["c#1", "d#1"] }));
    await d.compareAndSet("room/heir", 0, draft(a, { owner: "b#1", inSync: ["c#1"], heir: "c#1" }));
    const keys = async (ref: NodeRef): Promise<string[]> => [...(await d.listRecords(ref)).keys()].sort();
    deepEqual(await keys(a), ["room/owner"]);
    deepEqual(await keys("b#1"), ["room/heir", "room/sync"]);
    deepEqual(await keys("c#1"), ["room/heir", "room/sync"]);
    deepEqual(await keys("d#1"), ["room/sync"]);
    await d.compareAndSet("room/sync", 1, draft(a, { owner: "c#1", inSync: ["b#1"] }));
    await d.compareAndSet("room/heir", 1, draft(a, { owner: "b#1" }));
    deepEqual(await keys("b#1"), ["room/heir", "room/sync"]);
    deepEqual(await keys("c#1"), ["room/sync"]);
    deepEqual(await keys("d#1"), []);
    deepEqual((await d.listRecords("c#1")).get("room/sync"), { revision: 2, ...draft(a, { owner: "c#1", inSync: ["b#1"] }) });
  });

  define("a list of any length comes whole", [], async (_t, d) => {
    const a = await d.register(node("a"), TTL_MS);
    const keys = Array.from({ length: 2_000 }, (_, i) => `room/${"語".repeat(240)}${i}`);
    await Promise.all(keys.map((key) => d.compareAndSet(key, 0, draft(a, { inSync: ["b#1", "c#1"] }))));
    deepEqual([...(await d.listRecords("c#1")).keys()].sort(), [...keys].sort());
  });

  define("a watch of records tells what stands, what comes and what ceases", [], async (_t, d) => {
    const a = await d.register(node("a"), TTL_MS);
    await d.compareAndSet("room/old", 0, draft(a, { inSync: ["b#1"] }));
    const seen = new Recorder<Told>();
    const stop = d.watchRecords("b#1", (key, record) => seen.record({ key, record }));
    equal(seen.events.length, 0);
    await seen.until(is("room/old", 1));
    await d.compareAndSet("room/new", 0, draft(a, { owner: "b#1" }));
    await d.compareAndSet("room/other", 0, draft(a));
    await d.compareAndSet("room/old", 1, draft(a, { heir: "b#1", inSync: ["b#1"] }));
    await d.compareAndSet("room/old", 2, draft(a));
    await d.compareAndSet("room/old", 3, draft(a));
    await d.compareAndSet("room/new", 1, draft(a, { owner: "b#1", epoch: 2 }));
    const last = await seen.until(is("room/new", 2));
    deepEqual(last.record, { revision: 2, ...draft(a, { owner: "b#1", epoch: 2 }) });
    const ceased = await seen.until(is("room/old", 3));
    deepEqual(ceased.record, { revision: 3, ...draft(a) });
    ok(seen.events.every(({ key, record }) => key !== "room/other" && !(key === "room/old" && record.revision === 4)));
    neverBack(seen.events);
    stop();
    stop();
    const after = seen.events.length;
    await d.compareAndSet("room/new", 2, draft(a, { owner: "b#1", epoch: 3 }));
    const witness = new Recorder<Told>();
    d.watchRecords("b#1", (key, record) => witness.record({ key, record }));
    await witness.until(is("room/new", 3));
    equal(seen.events.length, after);
  });

  define("a watch of nodes tells the known, the new, the changed, and the ended once", [], async (t, d) => {
    const a = await d.register(node("a"), TTL_MS);
    const seen = new Recorder<NodeEntry>();
    const stop = d.watchNodes(seen.record);
    equal(seen.events.length, 0);
    deepEqual(await seen.until(() => true), { ref: a, info: node("a"), ended: false });
    const b = await d.register({ ...node("b"), place: {}, kinds: {} }, 10 * TTL_MS);
    await seen.until((e) => e.ref === b);
    await d.update(b, { ...node("b"), cordoned: true });
    deepEqual(await seen.until((e) => e.ref === b && e.info.cordoned), { ref: b, info: { ...node("b"), cordoned: true }, ended: false });
    await t.advance(TTL_MS + slackMs);
    await seen.until((e) => e.ref === a && e.ended);
    const b2 = await d.register(node("b"), 10 * TTL_MS);
    await seen.until((e) => e.ref === b && e.ended);
    await seen.until((e) => e.ref === b2 && !e.ended);
    await d.resign(b2);
    await seen.until((e) => e.ref === b2 && e.ended);
    const ended = seen.events.filter((e) => e.ended).map((e) => e.ref);
    deepEqual(ended, [a, b, b2]);
    stop();
  });

  define("a new watch of nodes learns the end of every node that a record still names", [], async (_t, d) => {
    const a1 = await d.register(node("a"), TTL_MS);
    await d.compareAndSet("room/one", 0, draft(a1));
    const a2 = await d.register(node("a"), TTL_MS);
    const seen = new Recorder<NodeEntry>();
    d.watchNodes(seen.record);
    await seen.until((e) => e.ref === a2 && !e.ended);
    await seen.until((e) => e.ref === a1 && e.ended);
  });

  define("what was handed out or in is not shared", [], async (t, d) => {
    const info = { ...node("a"), kinds: { room: 1 } as Record<string, number> };
    const a = await d.register(info, TTL_MS);
    const mine = draft(a, { inSync: ["b#1"] }) as { inSync: NodeRef[] } & RecordDraft;
    await d.compareAndSet("room/one", 0, mine);
    mine.inSync.push("c#1");
    info.kinds.later = 2;
    const second = await t.open();
    deepEqual((await second.read("room/one"))?.inSync, ["b#1"]);
    const seen = new Recorder<NodeEntry>();
    second.watchNodes(seen.record);
    deepEqual((await seen.until((e) => e.ref === a)).info.kinds, { room: 1 });
  });

  define("a closed handle answers nothing more, and others go on", [], async (t, d) => {
    const second = await t.open();
    const a = await d.register(node("a"), TTL_MS);
    const seen = new Recorder<Told>();
    second.watchRecords(a, (key, record) => seen.record({ key, record }));
    await second.close();
    await second.close();
    await rejects(second.read("room/one"), { code: "E_DIRECTORY_UNAVAILABLE" });
    await rejects(second.compareAndSet("room/one", 0, draft(a)), { code: "E_DIRECTORY_UNAVAILABLE" });
    deepEqual(await d.compareAndSet("room/one", 0, draft(a)), { outcome: "applied", revision: 1 });
    equal(seen.events.length, 0);
  });

  for (const how of ["reopen", "crash"] as const) {
    define(`after a ${how} everything that was answered is there`, [durable], async (t, d) => {
      const a = await d.register(node("a"), TTL_MS);
      const ended = await d.register(node("b"), TTL_MS);
      await d.update(a, { ...node("a"), cordoned: true });
      await d.resign(ended);
      const written = await Promise.all(
        Array.from({ length: 50 }, (_, i) => d.compareAndSet(`room/${i}`, 0, draft(a, { inSync: ["b#1"], writer: `${a}/${i}` }))),
      );
      ok(written.every((w) => w.outcome === "applied"));
      await t[how]();
      const again = await t.open();
      for (let i = 0; i < 50; i++) {
        deepEqual(await again.read(`room/${i}`), { revision: 1, ...draft(a, { inSync: ["b#1"], writer: `${a}/${i}` }) });
      }
      equal((await again.listRecords("b#1")).size, 50);
      equal(await again.renew(ended), "ended");
      equal(await again.renew(a), "renewed");
      const seen = new Recorder<NodeEntry>();
      again.watchNodes(seen.record);
      deepEqual((await seen.until((e) => e.ref === a)).info, { ...node("a"), cordoned: true });
      deepEqual(await again.compareAndSet("room/0", 1, draft(a)), { outcome: "applied", revision: 2 });
      equal(await again.register(node("b"), TTL_MS), "b#2");
    });

    define(`after a ${how} no lease ends before one longest lease has passed`, [durable], async (t, d) => {
      const short = await d.register(node("short"), TTL_MS);
      const long = await d.register(node("long"), 5 * TTL_MS);
      await t.advance(TTL_MS - 1);
      await t[how]();
      const again = await t.open();
      // A renewal puts the end off, it never brings it nearer.
      equal(await again.renew(short), "renewed");
      await t.advance(5 * TTL_MS - 1);
      equal(await again.renew(short), "renewed");
      await t.advance(TTL_MS + slackMs);
      deepEqual([await again.renew(short), await again.renew(long)], ["ended", "ended"]);
    });

    define(`after a ${how} watches repeat what stands and make up for what was missed`, [durable, handlesSurvive], async (t, d) => {
      const a = await d.register(node("a"), TTL_MS);
      await d.compareAndSet("room/stays", 0, draft(a, { inSync: ["b#1"] }));
      await d.compareAndSet("room/ceases", 0, draft(a, { inSync: ["b#1"] }));
      const records = new Recorder<Told>();
      const nodes = new Recorder<NodeEntry>();
      d.watchRecords("b#1", (key, record) => records.record({ key, record }));
      d.watchNodes(nodes.record);
      await Promise.all([records.until(is("room/stays", 1)), records.until(is("room/ceases", 1)), nodes.until((e) => e.ref === a)]);
      const before = records.events.length;
      await t[how]();
      const again = await t.open();
      await again.compareAndSet("room/ceases", 1, draft(a));
      await again.compareAndSet("room/new", 0, draft(a, { heir: "b#1", inSync: ["b#1"] }));
      const a2 = await again.register(node("a"), TTL_MS);
      await Promise.all([
        records.until(is("room/ceases", 2)),
        records.until(is("room/new", 1)),
        nodes.until((e) => e.ref === a && e.ended),
        nodes.until((e) => e.ref === a2),
      ]);
      ok(records.events.length > before);
      neverBack(records.events);
      equal(nodes.events.filter((e) => e.ref === a && e.ended).length, 1);
    });
  }

  cases.push(directoryModelCase(options));
  return cases;
}

interface Told {
  readonly key: string;
  readonly record: SessionRecord;
}

const is =
  (key: string, revision: number) =>
  (told: Told): boolean =>
    told.key === key && told.record.revision === revision;

function neverBack(events: readonly Told[]): void {
  const latest = new Map<string, number>();
  for (const { key, record } of events) {
    ok(record.revision >= (latest.get(key) ?? 0), `${key} went back to revision ${record.revision}`);
    latest.set(key, record.revision);
  }
}

function node(id: string): NodeInfo {
  return {
    id,
    place: { region: "eu-central", zone: "a", lat: 50.1, lon: -8.7 },
    clientEndpoint: `ws://${id}.example:7000`,
    controlEndpoint: `${id}.example:7001`,
    kinds: { room: 1, document: 12 },
    cordoned: false,
  };
}

/** A record owned and written by `ref`. */
function draft(ref: NodeRef, parts: Partial<RecordDraft> = {}): RecordDraft {
  return { epoch: 1, owner: ref, inSync: [], heir: null, ended: false, strategy: "replica", stored: false, writer: `${ref}/1`, ...parts };
}
