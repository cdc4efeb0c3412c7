import { describe, expect, it } from "vitest";
import { SojournError } from "../errors/sojourn-error.js";
import { resolveLimits } from "../limits/catalogue.js";
import type { CasOutcome, Directory, RecordDraft, SessionRecord } from "../ports/directory.js";
import { CasDriver, type ChangeOutcome, type RecordChange } from "./cas-driver.js";

const RECORD: SessionRecord = {
  revision: 4,
  epoch: 2,
  owner: "a#1",
  inSync: [],
  heir: null,
  ended: false,
  strategy: "replica",
  stored: false,
  writer: "a#1/1",
};
const unknown = () => new SojournError("E_DIRECTORY_UNKNOWN_OUTCOME");

/** A directory whose answers the test gives by hand, and a clock that rings when it is told to. */
class Desk {
  readonly writes: { expected: number; draft: RecordDraft; answer: (outcome: CasOutcome) => void; fail: (error: Error) => void }[] = [];
  readonly reads: { answer: (record: SessionRecord | null) => void; fail: (error: Error) => void }[] = [];
  readonly #due: (() => void)[] = [];
  readonly driver: CasDriver;
  readonly outcomes: ChangeOutcome[] = [];
  idle = 0;
  /** What it was the first to learn, each with how many changes were decided before. */
  readonly news: { record: SessionRecord; decided: number }[] = [];
  #requests = 0;

  constructor(record: SessionRecord | null | undefined) {
    const directory = {
      compareAndSet: (_key: string, expected: number, draft: RecordDraft) =>
        new Promise<CasOutcome>((answer, fail) => {
          this.writes.push({ expected, draft, answer, fail });
        }),
      read: () =>
        new Promise<SessionRecord | null>((answer, fail) => {
          this.reads.push({ answer, fail });
        }),
    } as unknown as Directory;
    const clock = {
      now: () => 0,
      wallNow: () => 0,
      schedule: (_ms: number, task: () => void) => {
        this.#due.push(task);
        return { cancel: () => this.#due.splice(this.#due.indexOf(task), 1) };
      },
    };
    const nextRequest = () => {
      this.#requests++;
      return this.#requests;
    };
    const ports = { self: "a#1", directory, clock, random: { next: () => 0.5, bytes: () => new Uint8Array() }, limits: resolveLimits() };
    this.driver = new CasDriver({ ...ports, nextRequest }, "counter/one", record, {
      heard: (news) => this.news.push({ record: news, decided: this.outcomes.length }),
      idle: () => {
        this.idle++;
      },
    });
  }

  submit(change: RecordChange): void {
    this.driver.submit(change, (outcome) => this.outcomes.push(outcome));
  }

  async ring(): Promise<void> {
    for (const task of this.#due.splice(0)) task();
    await settle();
  }
  get waiting(): number {
    return this.#due.length;
  }
}

const settle = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};
const raise: RecordChange = (record) => (record === null || record.owner !== "a#1" ? null : { ...record, epoch: record.epoch + 1 });

describe("CAS driver", () => {
  it("writes on the record it knows, and tells the record that stands", async () => {
    const desk = new Desk(RECORD);
    desk.submit(raise);
    expect(desk.writes[0]).toMatchObject({ expected: 4, draft: { epoch: 3, writer: "a#1/1" } });
    expect(desk.driver.pending).toBe(true);
    desk.writes[0]?.answer({ outcome: "applied", revision: 5 });
    await settle();
    expect(desk.outcomes).toEqual([{ outcome: "applied", record: { ...RECORD, revision: 5, epoch: 3, writer: "a#1/1" } }]);
    expect(desk.driver.pending).toBe(false);
    expect(desk.driver.record?.revision).toBe(5);
  });

  it("tells what others wrote before it decides the change that found it, and its own writes to nobody", async () => {
    const desk = new Desk(RECORD);
    const theirs = { ...RECORD, revision: 5, owner: "b#1", epoch: 3, writer: "b#1/9" };
    desk.submit(raise);
    desk.writes[0]?.answer({ outcome: "conflict", current: theirs });
    await settle();
    expect(desk.news).toEqual([{ record: theirs, decided: 0 }]);
    expect(desk.outcomes).toEqual([{ outcome: "void", record: theirs }]);

    desk.submit((record) => (record === null ? null : { ...record, epoch: 4 }));
    desk.writes[1]?.answer({ outcome: "conflict", current: { ...theirs, revision: 6, epoch: 4, writer: "a#1/2" } });
    await settle();
    expect(desk.outcomes[1]?.outcome).toBe("applied");
    const later = { ...theirs, revision: 7, epoch: 5 };
    desk.submit(() => null);
    desk.reads[0]?.answer(later);
    await settle();
    expect(desk.news.slice(1)).toEqual([{ record: later, decided: 2 }]);
  });

  it("[3] a lost answer leaves the write undecided: the very same write is sent until it is decided", async () => {
    const desk = new Desk(RECORD);
    desk.submit(raise);
    for (let i = 0; i < 3; i++) {
      desk.writes[i]?.fail(unknown());
      await settle();
      expect(desk.outcomes).toEqual([]);
      expect(desk.driver.pending).toBe(true);
      await desk.ring();
    }
    expect(desk.writes.map(({ expected, draft }) => [expected, draft.writer])).toEqual(Array(4).fill([4, "a#1/1"]));
    // The first sending had been carried out: the record says so by its writer.
    desk.writes[3]?.answer({ outcome: "conflict", current: { ...RECORD, revision: 5, epoch: 3, writer: "a#1/1" } });
    await settle();
    expect(desk.outcomes).toMatchObject([{ outcome: "applied", record: { revision: 5 } }]);
    expect(desk.writes).toHaveLength(4);
  });

  it("after a conflict the change is judged anew from what stands, with a new request", async () => {
    const desk = new Desk(RECORD);
    desk.submit(raise);
    desk.writes[0]?.answer({ outcome: "conflict", current: { ...RECORD, revision: 6, inSync: ["b#1"], writer: "b#1/9" } });
    await settle();
    expect(desk.writes[1]).toMatchObject({ expected: 6, draft: { epoch: 3, inSync: ["b#1"], writer: "a#1/2" } });
    desk.writes[1]?.answer({ outcome: "conflict", current: { ...RECORD, revision: 7, owner: "b#1", writer: "b#1/10" } });
    await settle();
    expect(desk.outcomes).toMatchObject([{ outcome: "void", record: { revision: 7, owner: "b#1" } }]);
  });

  it("a change is void only on a record that was read for it, never on an old one", async () => {
    const desk = new Desk({ ...RECORD, owner: "b#1" });
    desk.submit(raise);
    expect(desk.writes).toHaveLength(0);
    expect(desk.reads).toHaveLength(1);
    desk.reads[0]?.answer(RECORD.revision === 4 ? { ...RECORD, revision: 8 } : null);
    await settle();
    expect(desk.writes[0]?.expected).toBe(8);
    desk.submit(() => null);
    desk.writes[0]?.answer({ outcome: "applied", revision: 9 });
    await settle();
    expect(desk.reads).toHaveLength(2);
    desk.reads[1]?.answer({ ...RECORD, revision: 9 });
    await settle();
    expect(desk.outcomes.map(({ outcome }) => outcome)).toEqual(["applied", "void"]);
  });

  it("reads first when it knows nothing, and reads again while the directory is away", async () => {
    const desk = new Desk(undefined);
    desk.submit((record) =>
      record === null ? { epoch: 1, owner: "a#1", inSync: [], heir: null, ended: false, strategy: "replica", stored: false } : null,
    );
    desk.reads[0]?.fail(new SojournError("E_DIRECTORY_UNAVAILABLE"));
    await settle();
    await desk.ring();
    desk.reads[1]?.answer(null);
    await settle();
    expect(desk.writes[0]?.expected).toBe(0);
  });

  it("carries changes out one after another, also those that a callback submits", async () => {
    const desk = new Desk(RECORD);
    const order: number[] = [];
    desk.driver.submit(raise, () => {
      order.push(1);
      desk.driver.submit(raise, () => order.push(3));
    });
    desk.driver.submit(raise, () => order.push(2));
    for (let i = 0; i < 3; i++) {
      expect(desk.writes).toHaveLength(i + 1);
      desk.writes[i]?.answer({ outcome: "applied", revision: 5 + i });
      await settle();
    }
    expect(order).toEqual([1, 2, 3]);
    expect(desk.writes.map(({ expected }) => expected)).toEqual([4, 5, 6]);
  });

  it("says when the last change has come to its end, also by what is read for it", async () => {
    const desk = new Desk(RECORD);
    desk.submit(raise);
    desk.submit(() => null);
    desk.writes[0]?.answer({ outcome: "applied", revision: 5 });
    await settle();
    expect(desk.idle).toBe(0);
    desk.reads[0]?.answer(RECORD);
    await settle();
    expect([desk.idle, desk.driver.pending]).toEqual([1, false]);
  });

  it("ignores older records, and says whether one was news", () => {
    const desk = new Desk(RECORD);
    expect(desk.driver.learn({ ...RECORD, revision: 3, epoch: 1 })).toBe(false);
    expect(desk.driver.learn(RECORD)).toBe(false);
    expect(desk.driver.learn({ ...RECORD, revision: 5 })).toBe(true);
    expect(desk.driver.record?.revision).toBe(5);
  });

  it("a writer whose lease has ended stays silent; so does one that was disposed", async () => {
    const ended = new Desk(RECORD);
    ended.submit(raise);
    ended.writes[0]?.fail(new SojournError("E_LEASE_ENDED"));
    await settle();
    await ended.ring();
    expect([ended.outcomes.length, ended.writes.length]).toEqual([0, 1]);
    const disposed = new Desk(RECORD);
    disposed.submit(raise);
    disposed.submit(raise);
    disposed.driver.dispose();
    disposed.writes[0]?.answer({ outcome: "applied", revision: 5 });
    await settle();
    disposed.submit(raise);
    expect([disposed.outcomes.length, disposed.writes.length]).toEqual([0, 1]);
    const retrying = new Desk(RECORD);
    retrying.submit(raise);
    retrying.writes[0]?.fail(unknown());
    await settle();
    retrying.driver.dispose();
    await retrying.ring();
    expect(retrying.writes).toHaveLength(1);
  });
});
