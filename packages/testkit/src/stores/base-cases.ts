import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { BaseWrite } from "@sojourn/core";
import { CASE_LIMITS, type DefineCase } from "./define-cases.js";
import { barrier, bytesOf, History, show } from "./history.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

const SESSION = "room/one";

/** Bases: what is kept, what is refused, what is whole. */
export function baseCases(define: DefineCase, { durable, streamedBytes = 20_000_000 }: StoreConformanceOptions): void {
  define("a base comes back as it was, an empty one too, and absent is null", [], async (_t, store) => {
    equal(await store.read(SESSION), null);
    const history = new History();
    history.turns(4);
    deepEqual(await store.putBase(SESSION, history.base()), { outcome: "stored" });
    const replica = await store.read(SESSION);
    deepEqual(show(replica), {
      at: `1/4#${history.hash.toString(16)}`,
      state: "state 4 ",
      table: "structures 4",
      stateVersion: 3,
      log: [],
      end: `1/4#${history.hash.toString(16)}`,
      fence: 1,
    });
    equal(replica?.damage, null);
    deepEqual(await store.putBase("room/empty", new History().base(new Uint8Array(0))), { outcome: "stored" });
    equal((await store.read("room/empty"))?.base.bytes.length, 0);
    equal(await store.read("room/none"), null);
  });

  define("a fence alone is no base", [], async (_t, store) => {
    await store.fence(SESSION, 7);
    equal(await store.read(SESSION), null);
  });

  define("the newest by (epoch, version) is read, whatever came last", [], async (_t, store) => {
    const old = new History();
    old.turns(9);
    await store.putBase(SESSION, old.base());
    const late = new History();
    late.turns(3);
    await store.putBase(SESSION, late.base());
    equal((await store.read(SESSION))?.base.version, 9);
    const next = late.fork(2, "other");
    next.turns(1);
    deepEqual(await store.putBase(SESSION, next.base()), { outcome: "stored" });
    equal((await store.read(SESSION))?.base.version, 4);
    deepEqual(await store.putBase(SESSION, old.base()), { outcome: "stale", epoch: 2 });
    equal(show(await store.read(SESSION))?.state, "state 4 other");
  });

  define("a base of the same position replaces the other", [], async (_t, store) => {
    const history = new History();
    await store.putBase(SESSION, history.base(bytesOf("first")));
    await store.putBase(SESSION, history.base(bytesOf("second, longer")));
    equal(show(await store.read(SESSION))?.state, "second, longer");
    equal((await store.prune(SESSION, 5)).keptBases, 1);
  });

  define("a base may be as large as its bound and no larger", [], async (_t, store) => {
    const history = new History();
    const largest = new Uint8Array(CASE_LIMITS.maxSnapshotBytes).fill(7);
    await store.putBase(SESSION, history.base(largest));
    history.turns(1);
    await rejects(store.putBase(SESSION, history.base(new Uint8Array(CASE_LIMITS.maxSnapshotBytes + 1))), { code: "E_STORE_TOO_LARGE" });
    const { base } = (await store.read(SESSION)) ?? {};
    equal(base?.version, 0);
    ok(Buffer.from(base?.bytes ?? []).equals(largest));
  });

  define(
    "a large base is taken in pieces of any size, and the chunks are asked for as they are written",
    [],
    async (_t, store) => {
      const history = new History();
      let sum = 0;
      async function* chunks() {
        let left = streamedBytes;
        for (let i = 0; left > 0; i++) {
          const chunk = new Uint8Array(Math.min(left, i % 3 === 0 ? 1_000_003 : 65_536)).fill(i);
          chunk[0] = i * 31;
          sum = crc32(chunk, sum);
          left -= chunk.length;
          yield chunk;
        }
      }
      await store.putBase(SESSION, { ...history.base(), chunks: chunks() });
      const replica = await store.read(SESSION);
      equal(replica?.base.bytes.length, streamedBytes);
      equal(crc32(replica.base.bytes), sum);
    },
    { ...CASE_LIMITS, maxSnapshotBytes: streamedBytes, storePieceBytes: 262_144, storePartBytes: 5_242_880 },
  );

  define("a base that is broken off leaves what was there", [], async (_t, store) => {
    const history = new History();
    await store.putBase(SESSION, history.base());
    const before = show(await store.read(SESSION));
    history.turns(2);
    await rejects(store.putBase(SESSION, breaksOff(history)), { message: "the disk of the source" });
    deepEqual(show(await store.read(SESSION)), before);
    await store.putBase(SESSION, history.base());
    equal((await store.read(SESSION))?.base.version, 2);
    equal((await store.prune(SESSION, 5)).damagedBases, 0);
  });

  define("a crash in the middle of a base leaves what was there", [durable], async (t, store) => {
    const history = new History();
    await store.putBase(SESSION, history.base());
    await store.append([{ session: SESSION, record: history.turns(1) }]);
    const before = show(await store.read(SESSION));
    history.turns(2);
    const hanging = barrier();
    const stuck = store.putBase(SESSION, { ...history.base(), chunks: hangs(hanging.reach) }).then(
      ({ outcome }) => outcome,
      () => "broken off",
    );
    await hanging.reached;
    await t.crash();
    const again = await t.open();
    deepEqual(show(await again.read(SESSION)), before);
    await again.putBase(SESSION, history.base());
    equal((await again.read(SESSION))?.base.version, 3);
    // Whatever becomes of the old call, it has not become a base.
    void stuck;
  });
}

function breaksOff(history: History): BaseWrite {
  function* chunks() {
    for (let i = 0; i < 5; i++) yield new Uint8Array(9_000).fill(i);
    throw new Error("the disk of the source");
  }
  return { ...history.base(), chunks: chunks() };
}

async function* hangs(reached: () => void): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 5; i++) yield new Uint8Array(9_000).fill(i);
  reached();
  await new Promise(() => undefined);
}
