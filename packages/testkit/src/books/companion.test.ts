import { SojournError } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { type Audit, Companion, type ReportReply } from "./companion.js";
import { newTally, observe } from "./tally.js";

interface Report {
  readonly n: number;
  readonly value: number;
}

const mix = (sum: number, { n, value }: Report): number => Math.imul(sum ^ n ^ value, 0x01000193) >>> 0;

/** A session that the test can have misbehave. */
function setup() {
  const tally = newTally();
  let sum = 0;
  let newsSent = 0;
  const waiting: (() => void)[] = [];
  const replyTimes: number[] = [];
  const failures: string[] = [];
  const session = {
    clock: 0,
    handle({ n, value }: Report): ReportReply {
      observe(tally, n);
      sum = mix(sum, { n, value });
      return { n, missing: tally.missing.length, doubled: tally.doubled, reordered: tally.reordered };
    },
    report: (report: Report): Promise<ReportReply> => Promise.resolve(session.handle(report)),
    spoil: () => {
      sum ^= 1;
    },
    news: () => companion.news(++newsSent),
    skipNews: () => newsSent++,
    audit: (): Promise<Audit> => Promise.resolve({ reports: tally, sum, newsSent }),
  };
  const companion = new Companion<{ readonly value: number }>({
    calls: { report: (report) => session.report(report), audit: () => session.audit() },
    mix,
    now: () => session.clock,
    onReply: (afterMs) => replyTimes.push(afterMs),
    onFailure: (code) => failures.push(code),
  });
  return { session, companion, waiting, replyTimes, failures };
}

const CLEAN = { lost: 0, doubled: 0, reordered: 0 };

describe("a companion", () => {
  test("finds nothing when nothing is wrong", async () => {
    const { session, companion, failures } = setup();
    for (let i = 0; i < 10; i++) {
      companion.report({ value: i });
      session.news();
    }
    expect(await companion.audit()).toEqual([]);
    expect(companion.counts()).toEqual({ sent: 10, replies: 10, events: 10, ...CLEAN });
    expect(failures).toEqual([]);
  });

  test("counts a report that the session never saw, though it was answered", async () => {
    const { session, companion } = setup();
    const { report } = session;
    for (let i = 1; i <= 5; i++) {
      session.report = i === 3 ? ({ n }) => Promise.resolve({ n, missing: 0, doubled: 0, reordered: 0 }) : report;
      companion.report({ value: i });
    }
    expect(await companion.audit()).toEqual(["the session lacks 1 of 5 reports"]);
    expect(companion.counts()).toMatchObject({ ...CLEAN, lost: 1 });
  });

  test("counts the last report when only the audit can tell", async () => {
    const { session, companion } = setup();
    companion.report({ value: 1 });
    session.report = ({ n }) => Promise.resolve({ n, missing: 0, doubled: 0, reordered: 0 });
    companion.report({ value: 2 });
    await companion.audit();
    expect(companion.counts().lost).toBe(1);
  });

  test("counts a report that the session handled twice", async () => {
    const { session, companion } = setup();
    session.report = (report) => {
      session.handle(report);
      return Promise.resolve(session.handle(report));
    };
    companion.report({ value: 1 });
    expect(await companion.audit()).toEqual(["the session has seen 1 reports twice and 0 too late"]);
    expect(companion.counts()).toMatchObject({ ...CLEAN, doubled: 1 });
  });

  test("counts reports that the session handled in the wrong order", async () => {
    const { session, companion } = setup();
    const held: Report[] = [];
    session.report = (report) => {
      held.push(report);
      return Promise.resolve({ n: report.n, missing: 0, doubled: 0, reordered: 0 });
    };
    companion.report({ value: 1 });
    companion.report({ value: 2 });
    for (const report of held.reverse()) session.handle(report);
    await companion.audit();
    expect(companion.counts()).toMatchObject({ ...CLEAN, reordered: 1 });
  });

  test("counts a reply that belongs to another report", async () => {
    const { session, companion } = setup();
    session.report = (report) => Promise.resolve({ ...session.handle(report), n: 1 });
    companion.report({ value: 1 });
    companion.report({ value: 2 });
    expect(await companion.audit()).toEqual(["1 of 2 reports have no answer"]);
    expect(companion.counts()).toMatchObject({ doubled: 1 });
  });

  test("counts events that are lost, doubled or late", async () => {
    const { session, companion } = setup();
    session.news(); // 1
    session.skipNews(); // 2
    session.news(); // 3
    expect(companion.counts()).toMatchObject({ ...CLEAN, lost: 1 });
    companion.news(2);
    companion.news(3);
    session.skipNews(); // 4
    expect(await companion.audit()).toEqual([]); // four arrivals, four sent: only the numbers tell
    expect(companion.counts()).toEqual({ sent: 0, replies: 0, events: 4, lost: 1, doubled: 1, reordered: 1 });
  });

  test("finds a state that is not what the reports make of it", async () => {
    const { session, companion } = setup();
    companion.report({ value: 1 });
    session.spoil();
    expect(await companion.audit()).toEqual(["the session's state is not what the reports make of it"]);
  });

  test("tells a call that failed, and waits for the others before the audit", async () => {
    const { session, companion, failures } = setup();
    const { report } = session;
    session.report = () => Promise.reject(new SojournError("E_CALL_TIMEOUT"));
    companion.report({ value: 1 });
    let answer: () => void = () => undefined;
    session.report = (late) => new Promise((resolve) => (answer = () => resolve(session.handle(late))));
    companion.report({ value: 2 });
    session.report = report;
    const audit = companion.audit();
    expect(companion.open).toBe(2);
    answer();
    expect(await audit).toEqual(["the session lacks 1 of 2 reports", "1 of 2 reports have no answer"]);
    expect(failures).toEqual(["E_CALL_TIMEOUT"]);
  });

  test("takes what has no answer as lost when there is no audit", async () => {
    const { session, companion } = setup();
    session.report = () => new Promise(() => undefined);
    companion.report({ value: 1 });
    companion.report({ value: 2 });
    expect(companion.counts().lost).toBe(0);
    expect(companion.unaudited().lost).toBe(2);
  });

  test("measures the time to each answer", async () => {
    const { session, companion, replyTimes } = setup();
    companion.report({ value: 1 });
    session.clock = 7;
    await companion.audit();
    expect(replyTimes).toEqual([7]);
  });
});
