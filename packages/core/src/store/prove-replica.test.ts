import { crc32 } from "node:zlib";
import { History } from "@sojourn/testkit/stores";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRecord, Position, StoredBase } from "../ports/session-store.js";
import { type DamagedRecord, followLog, proveReplica } from "./prove-replica.js";
import { NO_HEAD, newerOf } from "./session-head.js";

const sum = (bytes: Uint8Array, seed = 0): number => crc32(bytes, seed);

function candidate(at: Position, good = true) {
  const base: StoredBase = { ...at, stateVersion: 1, table: null, bytes: new Uint8Array() };
  return { at, load: async () => (good ? base : null) };
}

function prove(bases: ReturnType<typeof candidate>[], records: readonly (LogRecord | DamagedRecord)[]) {
  const newest = bases.reduce<Position | null>((best, { at }) => newerOf(best, at), null);
  return proveReplica({ session: "room/a", head: { ...NO_HEAD, base: newest }, bases, records }, sum);
}

const outline = (records: readonly LogRecord[]): string[] => records.map((r) => `${r.epoch}:${r.fromVersion}-${r.version}`);

describe("followLog", () => {
  it("cuts a record that begins before the base, and checks its chain first", () => {
    const history = new History();
    const first = history.turns(2);
    const base = history.at;
    history.turns(0);
    const group = { ...joined(first, history.turns(3)) };
    expect(outline(followLog(base, [group], sum).records)).toEqual(["1:2-5"]);
    expect(followLog(base, [group], sum).records[0]?.fromHash).toBe(base.hash);
    const bent = { ...group, deltas: group.deltas.with(4, new Uint8Array([1])) };
    expect(followLog(base, [bent], sum)).toMatchObject({ records: [], cut: 1 });
    expect(followLog({ ...base, hash: base.hash ^ 1 }, [group], sum)).toMatchObject({ records: [], cut: 1 });
  });

  it("lets a newer epoch overrule from where it went on, in the middle of a record too", () => {
    const history = new History();
    const base = history.at;
    const kept = history.turns(2);
    const fork = history.fork(2, "other");
    const overruled = [joined(kept, history.turns(2)), history.turns(1)];
    const branch = [fork.turns(1), fork.turns(2)];
    const { records, cut } = followLog(base, [...overruled, ...branch], sum);
    expect([outline(records), cut]).toEqual([["1:0-2", "2:2-3", "2:3-5"], 0]);
    expect(records[0]?.hash).toBe(kept.hash);
  });

  it("counts the same turns of two epochs as the newer one's", () => {
    const history = new History();
    const base = history.at;
    const same = history.fork(2);
    expect(followLog(base, [history.turns(2), same.turns(2)], sum)).toMatchObject({ end: same.at, cut: 0 });
  });

  it("does not take a newer epoch that went on from elsewhere", () => {
    const history = new History();
    const base = history.at;
    const log = [history.turns(2), history.turns(2)];
    const stranger = new History({ epoch: 2, version: 2, hash: 99 });
    const { records, cut } = followLog(base, [...log, stranger.turns(2)], sum);
    expect([outline(records), cut]).toEqual([["1:0-2", "1:2-4"], 1]);
  });

  it("yields one unbroken chain whatever is missing, and all of it when nothing is", () => {
    const step = fc.record({ turns: fc.integer({ min: 1, max: 4 }), newEpoch: fc.boolean(), back: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.func(fc.integer({ min: 0, max: 5 })), (script, fate) => {
        let history = new History();
        const base = history.at;
        const points = [history.at];
        const log: LogRecord[] = [];
        for (const [i, { turns, newEpoch, back }] of script.entries()) {
          if (newEpoch)
            history = new History({ ...(points[Math.max(0, points.length - 1 - back)] as Position), epoch: history.epoch + 1 }, `${i}`);
          log.push(history.turns(turns));
          points.push(history.at);
        }
        expect(positionOf(followLog(base, log, sum).records.at(-1) ?? base)).toEqual(history.at);
        const damaged = log.map((record, i) => (fate(i) === 0 ? { damaged: null } : record));
        let end = base;
        for (const record of followLog(base, damaged, sum).records) {
          expect([record.fromVersion, record.fromHash]).toEqual([end.version, end.hash]);
          expect(record.deltas.reduce((hash, delta) => sum(delta, hash), record.fromHash)).toBe(record.hash);
          expect(record.deltas.length).toBe(record.version - record.fromVersion);
          end = positionOf(record);
        }
      }),
    );
  });
});

describe("proveReplica", () => {
  it("takes an older base when that leads further than the newest good one", async () => {
    const history = new History();
    const start = history.at;
    const log: LogRecord[] = [history.turns(2)];
    const fork = history.fork(2, "other");
    log.push(history.turns(2));
    const dead = history.at;
    const broken = fork.at;
    log.push(fork.turns(1));
    const replica = await prove([candidate(start), candidate(dead), candidate(broken, false)], log);
    expect([replica?.base.version, replica?.end, replica?.damage?.lostTurns]).toEqual([0, fork.at, 0]);
  });

  it("takes a base for damaged that is another position's", async () => {
    const history = new History();
    const { load } = candidate(history.at);
    history.turns(1);
    await expect(prove([{ at: history.at, load }], [])).rejects.toMatchObject({ code: "E_STORE_DAMAGED" });
  });

  it("tells damaged bases and a head that knows of more than is there", async () => {
    const history = new History();
    const base = history.at;
    const log = history.turns(3);
    const parts = { session: "room/a", head: { fence: 4, base, log: history.at }, bases: [candidate(base)], records: [] };
    expect(await proveReplica(parts, sum)).toMatchObject({ fence: 4, damage: { cutRecords: 0, newest: history.at, lostTurns: 3 } });
    expect((await proveReplica({ ...parts, records: [log] }, sum))?.damage).toBeNull();
    expect(await proveReplica({ ...parts, head: NO_HEAD, bases: [] }, sum)).toBeNull();
    await expect(proveReplica({ ...parts, bases: [] }, sum)).rejects.toMatchObject({ code: "E_STORE_DAMAGED" });
  });

  it("says nothing of a damaged record that no base needs", async () => {
    const history = new History();
    history.turns(2);
    const base = history.at;
    const old = { damaged: { epoch: 1, version: 1 } };
    expect((await prove([candidate(base)], [old, history.turns(1)]))?.damage).toBeNull();
    expect((await prove([candidate(base)], [{ damaged: null }]))?.damage).toMatchObject({ cutRecords: 1 });
  });
});

function joined(a: LogRecord, b: LogRecord): LogRecord {
  return { ...b, fromVersion: a.fromVersion, fromHash: a.fromHash, deltas: [...a.deltas, ...b.deltas] };
}

function positionOf({ epoch, version, hash }: Position): Position {
  return { epoch, version, hash };
}
