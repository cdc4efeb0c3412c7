import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RecordDraft, SessionRecord } from "../ports/directory.js";
import {
  changeStrategy,
  claim,
  claimLost,
  commit,
  decline,
  end,
  join,
  joinStore,
  leave,
  leaveStore,
  prepare,
  promote,
  promoteOnSuspicion,
  takeBack,
} from "./drafts.js";

const RECORD: SessionRecord = {
  revision: 7,
  epoch: 5,
  owner: "a#1",
  inSync: ["b#1", "c#1"],
  heir: null,
  ended: false,
  strategy: "replica",
  stored: false,
  writer: "a#1/3",
};
const GRANTED: SessionRecord = { ...RECORD, heir: "b#1" };
const STORED: SessionRecord = { ...RECORD, strategy: "hybrid", stored: true };
const ENDED: SessionRecord = { ...RECORD, inSync: [], ended: true };
const dead =
  (...refs: readonly string[]) =>
  (ref: string) =>
    refs.includes(ref);

describe("changes of a session's record", () => {
  it("claim: only a session that does not exist or has ended, at a newer epoch", () => {
    expect(claim(null, "a#1", "replica", false)).toEqual({
      epoch: 1,
      owner: "a#1",
      inSync: [],
      heir: null,
      ended: false,
      strategy: "replica",
      stored: false,
    });
    expect(claim(ENDED, "b#2", "hybrid", true)).toEqual({
      epoch: 6,
      owner: "b#2",
      inSync: [],
      heir: null,
      ended: false,
      strategy: "hybrid",
      stored: true,
    });
    expect(claim(RECORD, "a#1", "replica", false)).toBeNull();
  });

  it("claimLost: only when nobody who holds it is alive, past an epoch that an heir may have taken", () => {
    expect(claimLost(RECORD, "d#1", dead("a#1", "b#1", "c#1"))).toEqual({ ...RECORD, epoch: 7, owner: "d#1", inSync: [] });
    expect(claimLost(STORED, "d#1", dead("a#1", "b#1", "c#1"))).toMatchObject({ strategy: "hybrid", stored: true });
    expect(claimLost(RECORD, "d#1", dead("a#1", "b#1"))).toBeNull();
    expect(claimLost(RECORD, "d#1", dead("b#1", "c#1"))).toBeNull();
    expect(claimLost(ENDED, "d#1", dead("a#1"))).toBeNull();
  });

  it("join: in place of others, but never of the heir", () => {
    expect(join(RECORD, "a#1", 5, "d#1", ["b#1"])?.inSync).toEqual(["c#1", "d#1"]);
    expect(join(GRANTED, "a#1", 5, "d#1", ["b#1", "c#1"])?.inSync).toEqual(["b#1", "d#1"]);
  });

  it("promoteOnSuspicion: only an in-sync standby, past the very owner that is suspected, and never past an heir", () => {
    const suspect = { owner: "a#1", epoch: 5 };
    const mine = { ...RECORD, epoch: 6, owner: "b#1", inSync: ["c#1"] };
    expect(promoteOnSuspicion(RECORD, suspect, "b#1", dead())).toEqual(mine);
    expect(promoteOnSuspicion(RECORD, suspect, "b#1", dead("c#1"))).toEqual({ ...mine, inSync: [] });
    expect(promoteOnSuspicion(RECORD, suspect, "d#1", dead())).toBeNull();
    expect(promoteOnSuspicion(GRANTED, suspect, "b#1", dead())).toBeNull();
    expect(promoteOnSuspicion(GRANTED, suspect, "c#1", dead("b#1"))).toBeNull();
    expect(promoteOnSuspicion(ENDED, suspect, "b#1", dead())).toBeNull();
    expect(promoteOnSuspicion({ ...RECORD, epoch: 7 }, suspect, "b#1", dead())).toBeNull();
    expect(promoteOnSuspicion({ ...RECORD, owner: "c#1" }, suspect, "b#1", dead())).toBeNull();
  });

  it("join and leave: by the owner at its epoch; the heir is never dropped", () => {
    expect(join(RECORD, "a#1", 5, "d#1")?.inSync).toEqual(["b#1", "c#1", "d#1"]);
    expect(join(RECORD, "a#1", 5, "b#1")?.inSync).toEqual(["c#1", "b#1"]);
    expect(leave(RECORD, "a#1", 5, ["b#1", "x#1"])?.inSync).toEqual(["c#1"]);
    expect(leave(GRANTED, "a#1", 5, ["b#1", "c#1"])?.inSync).toEqual(["b#1"]);
    expect(leave(GRANTED, "a#1", 5, ["b#1"])).toBeNull();
    expect(leave(RECORD, "a#1", 5, ["x#1"])).toBeNull();
    for (const [record, self, epoch] of [
      [RECORD, "b#1", 5],
      [RECORD, "a#2", 5],
      [RECORD, "a#1", 4],
      [ENDED, "a#1", 5],
    ] as const) {
      expect(join(record, self, epoch, "d#1")).toBeNull();
      expect(leave(record, self, epoch, ["b#1"])).toBeNull();
    }
  });

  it("joinStore and leaveStore: by the owner at its epoch; the store is not dropped while nobody else is in-sync", () => {
    const unstored = { ...STORED, stored: false };
    expect(joinStore(unstored, "a#1", 5)).toEqual(STORED);
    expect(joinStore(RECORD, "a#1", 5)).toBeNull(); // it has no store any more
    expect(leaveStore(STORED, "a#1", 5)).toEqual({ ...STORED, stored: false });
    expect(leaveStore({ ...STORED, inSync: [] }, "a#1", 5)).toBeNull();
    expect(leaveStore(RECORD, "a#1", 5)).toBeNull();
    for (const [record, self, epoch] of [
      [STORED, "b#1", 5],
      [STORED, "a#2", 5],
      [STORED, "a#1", 4],
      [{ ...STORED, ended: true }, "a#1", 5],
    ] as const) {
      expect(joinStore(record, self, epoch)).toBeNull();
      expect(leaveStore(record, self, epoch)).toBeNull();
    }
  });

  it("changeStrategy: by the owner at its epoch, not during a hand-over, and never to fewer copies than are needed", () => {
    const hybrid = { strategy: "hybrid", stored: true } as const;
    const replica = { strategy: "replica", stored: false } as const;
    expect(changeStrategy(RECORD, "a#1", 5, hybrid, 0)).toEqual(STORED);
    expect(changeStrategy(STORED, "a#1", 5, replica, 2)).toEqual(RECORD);
    expect(changeStrategy(STORED, "a#1", 5, replica, 3)).toBeNull();
    expect(changeStrategy({ ...STORED, inSync: [] }, "a#1", 5, replica, 0)).toBeNull();
    const unstored = { ...STORED, stored: false, inSync: [] };
    expect(changeStrategy(unstored, "a#1", 5, replica, 0)).toEqual({ ...unstored, ...replica });
    for (const [record, self, epoch] of [
      [GRANTED, "a#1", 5],
      [RECORD, "b#1", 5],
      [RECORD, "a#1", 4],
      [ENDED, "a#1", 5],
    ] as const) {
      expect(changeStrategy(record, self, epoch, hybrid, 0)).toBeNull();
    }
  });

  it("the session store stays in-sync through a hand-over, a decline, a take-back and a promotion", () => {
    const granted = { ...STORED, heir: "b#1" };
    expect(prepare(STORED, "a#1", 5, "d#1")).toMatchObject({ strategy: "hybrid", stored: true });
    expect(commit(granted, "b#1", 6, "a#1", 0)).toMatchObject({ inSync: [], strategy: "hybrid", stored: true });
    expect(decline(granted, "b#1", 5)).toMatchObject({ strategy: "hybrid", stored: true });
    expect(takeBack(granted, "a#1", 5)).toMatchObject({ strategy: "hybrid", stored: true });
    expect(promote(STORED, "b#1", dead("a#1"))).toMatchObject({ strategy: "hybrid", stored: true });
    expect(end(STORED, "a#1", 5)).toMatchObject({ ended: true, stored: false });
  });

  it("prepare: by the owner, one heir at a time, who becomes in-sync with it", () => {
    expect(prepare(RECORD, "a#1", 5, "d#1")).toMatchObject({ epoch: 5, heir: "d#1", inSync: ["b#1", "c#1", "d#1"] });
    expect(prepare(GRANTED, "a#1", 5, "d#1")).toBeNull();
    expect(prepare(RECORD, "a#1", 6, "d#1")).toBeNull();
    expect(prepare(RECORD, "b#1", 5, "d#1")).toBeNull();
    expect(prepare(ENDED, "a#1", 5, "d#1")).toBeNull();
  });

  it("commit: only the heir of this granter at this epoch; the granter stays before all others", () => {
    expect(commit(GRANTED, "b#1", 6, "a#1", 8)).toEqual({ ...GRANTED, epoch: 6, owner: "b#1", inSync: ["a#1", "c#1"], heir: null });
    expect(commit(GRANTED, "b#1", 6, "a#1", 1)?.inSync).toEqual(["a#1"]);
    expect(commit(GRANTED, "b#2", 6, "a#1", 1)).toBeNull();
    expect(commit(GRANTED, "b#1", 7, "a#1", 1)).toBeNull();
    expect(commit(GRANTED, "b#1", 6, "c#1", 1)).toBeNull();
    expect(commit(RECORD, "b#1", 6, "a#1", 1)).toBeNull();
  });

  it("decline: only the heir; takeBack: only its granter; both skip the epoch that was given away", () => {
    expect(decline(GRANTED, "b#1", 5)).toMatchObject({ epoch: 7, owner: "a#1", heir: null, inSync: ["b#1", "c#1"] });
    expect(decline(GRANTED, "a#1", 5)).toBeNull();
    expect(decline(GRANTED, "b#1", 4)).toBeNull();
    expect(takeBack(GRANTED, "a#1", 5)).toMatchObject({ epoch: 7, owner: "a#1", heir: null, inSync: ["c#1"] });
    expect(takeBack(GRANTED, "b#1", 5)).toBeNull();
    expect(takeBack(RECORD, "a#1", 5)).toBeNull();
  });

  it("promote: after the owner's end, the heir first; only who is in-sync; the dead are not carried over", () => {
    expect(promote(RECORD, "b#1", dead("a#1"))).toMatchObject({ epoch: 6, owner: "b#1", inSync: ["c#1"] });
    expect(promote(RECORD, "b#1", dead())).toBeNull();
    expect(promote(RECORD, "d#1", dead("a#1"))).toBeNull();
    expect(promote(GRANTED, "b#1", dead("a#1"))).toMatchObject({ epoch: 6, owner: "b#1" });
    expect(promote(GRANTED, "c#1", dead("a#1"))).toBeNull();
    expect(promote(GRANTED, "c#1", dead("a#1", "b#1"))).toMatchObject({ epoch: 7, owner: "c#1", inSync: [], heir: null });
  });

  it("end: not while an heir is recorded, who may be owner already", () => {
    expect(end(RECORD, "a#1", 5)).toMatchObject({ epoch: 5, ended: true, inSync: [] });
    expect(end(GRANTED, "a#1", 5)).toBeNull();
    expect(end(RECORD, "b#1", 5)).toBeNull();
  });

  it("whatever is done in whatever order: epochs never go back, nobody is named twice, the heir is in-sync, the dead end nothing", () => {
    const refs = ["a#1", "b#1", "c#1", "a#2"];
    const ref = fc.constantFrom(...refs);
    const step = fc.record({ kind: fc.nat(10), self: ref, other: ref, epochOff: fc.integer({ min: -1, max: 1 }), gone: fc.subarray(refs) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let record: SessionRecord = { ...RECORD, inSync: [] };
        for (const { kind, self, other, epochOff, gone } of steps) {
          const isEnded = dead(...gone);
          const epoch = record.epoch + epochOff;
          const changes: readonly (() => Omit<RecordDraft, "writer"> | null)[] = [
            () => claim(record, self, "hybrid", true),
            () => claimLost(record, self, isEnded),
            () => (other === record.owner ? null : join(record, self, epoch, other)),
            () => leave(record, self, epoch, [other]),
            () => (other === record.owner ? null : prepare(record, self, epoch, other)),
            () => commit(record, self, epoch, other, 2),
            () => decline(record, self, epoch),
            () => takeBack(record, self, epoch),
            () => promote(record, self, isEnded),
            () => joinStore(record, self, epoch),
            () => leaveStore(record, self, epoch),
          ];
          const draft = changes[kind]?.() ?? null;
          if (draft === null) continue;
          const ownerChanged = draft.owner !== record.owner;
          expect(draft.epoch).toBeGreaterThanOrEqual(record.epoch + (ownerChanged ? 1 : 0));
          expect(new Set([draft.owner, ...draft.inSync]).size).toBe(draft.inSync.length + 1);
          if (draft.heir !== null) expect(draft.inSync).toContain(draft.heir);
          if (record.stored && !draft.stored) expect(draft.inSync).not.toEqual([]);
          record = { ...draft, revision: record.revision + 1, writer: `${self}/1` };
        }
      }),
    );
  });
});
