import { beforeEach, describe, expect, it } from "vitest";
import { resolveLimits } from "../limits/catalogue.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput, TurnResult } from "../session/types.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { SlotHost } from "./slot-host.js";
import { isClientOp, TurnLoop, type Waiting } from "./turn-loop.js";

const input = (seq: number, action = "add", link = "x"): PeerMessageOf<"input"> => ({
  t: "input",
  session: "counter/one",
  hops: 0,
  ingress: "a#1",
  link,
  generation: 1,
  seq,
  ack: 0,
  action,
  payload: new Uint8Array(),
});
const attach = (socket: number): PeerMessageOf<"attach"> => ({
  t: "attach",
  session: "counter/one",
  hops: 0,
  ingress: "a#1",
  socket,
  link: "x",
  token: "t0",
  nextToken: "t1",
  epoch: 0,
  lastOut: 0,
  sent: 0,
  acked: 0,
  offsetEpoch: 0,
  generation: 0,
  user: Uint8Array.of(0xc0),
});
const HOOK: TurnInput = { kind: "beforeMove", to: "b" };
const result = (outcome: TurnResult["outcome"]): TurnResult => ({
  outcome,
  version: 1,
  delta: null,
  touched: [],
  attach: null,
  closed: [],
  ended: false,
});

/** A cell that handles `add` at once and in order, and keeps `slow` in hand until it is told to end it. */
class FakeCell {
  readonly ran: string[] = [];
  readonly key = "counter/one";
  busy = false;
  ended = false;
  unreadable = false;
  handled = 0;
  end: (outcome: "committed" | "aborted") => void = () => undefined;

  run(turn: TurnInput): TurnResult | Promise<TurnResult> {
    if (this.unreadable) throw new Error("unreadable");
    if (turn.kind !== "message") {
      this.ran.push(turn.kind);
      return result("committed");
    }
    if (turn.seq > this.handled + 1) return result("early");
    if (turn.seq <= this.handled) return result("duplicate");
    this.ran.push(`${turn.action} ${turn.seq}`);
    if (turn.action === "break") throw new Error("broken");
    if (turn.action !== "slow") {
      this.handled = turn.seq;
      return result("committed");
    }
    this.busy = true;
    return new Promise((resolve) => {
      this.end = (outcome) => {
        this.busy = false;
        if (outcome === "committed") this.handled = turn.seq;
        resolve(result(outcome));
      };
    });
  }
  abort(): void {
    this.end("aborted");
  }
}

describe("turn loop", () => {
  const settled: string[] = [];
  const refused: string[] = [];
  let cell: FakeCell;
  let loop: TurnLoop;
  let leaseValid: boolean;
  let due: { ms: number; task: () => void; cancelled: boolean }[];

  const nameOf = (waiting: Waiting) => (isClientOp(waiting) ? (waiting.t === "input" ? waiting.seq : waiting.t) : waiting.kind);
  const settle = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
  const ring = async () => {
    for (const task of due.splice(0)) if (!task.cancelled) task.task();
    await settle();
  };

  beforeEach(() => {
    settled.length = refused.length = 0;
    cell = new FakeCell();
    leaseValid = true;
    due = [];
    const schedule = (ms: number, task: () => void) => {
      const entry = { ms, task, cancelled: false };
      due.push(entry);
      return {
        cancel: () => {
          entry.cancelled = true;
        },
      };
    };
    const host = {
      clock: { now: () => 0, wallNow: () => 0, schedule },
      limits: resolveLimits({ maxQueuedInputs: 3, reorderWindowMessages: 10, drainDeadlineMs: 77 }),
      leaseValid: () => leaseValid,
      onIncident: () => undefined,
    } as unknown as SlotHost;
    loop = new TurnLoop(host, cell as unknown as SessionCell, {
      wantsDeltas: false,
      saturated: false,
      settled: (waiting, { outcome }) => settled.push(`${nameOf(waiting)} ${outcome}`),
      linkAck: ({ seq }) => settled.push(`ack ${seq}`),
      refused: (op, code) => refused.push(`${nameOf(op)} ${code}`),
      quiet: () => undefined,
    });
  });

  it("runs turns in order, one at a time", async () => {
    for (const seq of [1, 2]) loop.enqueue(input(seq));
    loop.enqueue(input(3, "slow"));
    loop.enqueue(input(4));
    expect(cell.ran).toEqual(["add 1", "add 2", "slow 3"]);
    cell.end("committed");
    await settle();
    expect(cell.ran).toEqual(["add 1", "add 2", "slow 3", "add 4"]);
  });

  it("parks what came too early and runs it right behind its predecessor", () => {
    for (const seq of [3, 2, 1, 4]) loop.enqueue(input(seq));
    expect(cell.ran).toEqual(["add 1", "add 2", "add 3", "add 4"]);
  });

  it("a link that has ended leaves nothing parked", () => {
    loop.enqueue(input(2));
    loop.forgetLink("x");
    loop.enqueue(input(1));
    expect(cell.ran).toEqual(["add 1"]);
  });

  it("[10] starts no turn without a valid lease", () => {
    leaseValid = false;
    loop.enqueue(input(1));
    expect(cell.ran).toEqual([]);
  });

  it("refuses clients' messages over the bound, by name, and never the node's own", () => {
    loop.enqueue(input(1, "slow"));
    for (const seq of [2, 3, 4, 5]) loop.enqueue(input(seq));
    expect(refused).toEqual(["5 E_QUEUE_FULL"]);
    loop.enqueue({ kind: "timer", name: "t" });
    expect(refused).toHaveLength(1);
  });

  it("keeps nobody waiting for a hook that cannot run here", () => {
    cell.unreadable = true;
    let over = 0;
    loop.runHook(HOOK, () => over++);
    expect(over).toBe(1);
    expect(due.every(({ cancelled }) => cancelled)).toBe(true);
  });

  it("tells the caller when the session cannot run at all, and goes on", () => {
    loop.enqueue(input(1, "break"));
    expect(refused).toEqual(["1 E_INTERNAL"]);
    loop.enqueue(input(1));
    expect(cell.ran).toEqual(["break 1", "add 1"]);
  });

  it("an attach that is sent again while it waits is carried out once; one of another socket is another", async () => {
    loop.enqueue(input(1, "slow"));
    for (const socket of [7, 7, 8]) loop.enqueue(attach(socket));
    cell.end("committed");
    await settle();
    expect(cell.ran).toEqual(["slow 1", "attach", "attach"]);
  });

  it("freezes at once when nothing is in hand; nothing runs until it thaws", () => {
    let frozen = 0;
    loop.freeze(() => frozen++);
    loop.enqueue(input(1));
    expect([frozen, cell.ran.length, loop.frozen]).toEqual([1, 0, true]);
    loop.thaw();
    expect(cell.ran).toEqual(["add 1"]);
  });

  it("freezes after the turn in hand", async () => {
    let frozen = 0;
    loop.enqueue(input(1, "slow"));
    loop.enqueue(input(2));
    loop.freeze(() => frozen++);
    expect(frozen).toBe(0);
    cell.end("committed");
    await settle();
    expect([frozen, cell.ran]).toEqual([1, ["slow 1"]]);
    expect(loop.takeWaiting().map(nameOf)).toEqual([2]);
  });

  it("rolls the turn in hand back at the drain deadline; it waits first, and what came too early last", async () => {
    let frozen = 0;
    loop.enqueue(input(9));
    loop.enqueue(input(1, "slow"));
    loop.enqueue(input(2));
    loop.enqueue({ kind: "timer", name: "t" });
    loop.freeze(() => frozen++);
    expect(due.map(({ ms }) => ms)).toEqual([77]);
    await ring();
    expect(frozen).toBe(1);
    expect(settled).toEqual(["9 early"]);
    expect(loop.takeWaiting().map(nameOf)).toEqual([1, 2, 9]); // the timer is the next owner's own matter
  });

  it("the deadline of a freeze does not reach turns after it", async () => {
    loop.enqueue(input(1, "slow"));
    loop.freeze(() => undefined);
    cell.end("committed");
    await settle();
    loop.thaw();
    loop.enqueue(input(2, "slow"));
    await ring();
    expect(cell.busy).toBe(true);
  });

  it("a hook runs behind what waits, and tells when it has run", async () => {
    let done = 0;
    loop.enqueue(input(1, "slow"));
    loop.enqueue(input(2));
    loop.runHook(HOOK, () => done++);
    expect(done).toBe(0);
    cell.end("committed");
    await settle();
    expect([done, cell.ran]).toEqual([1, ["slow 1", "add 2", "beforeMove"]]);
    await ring();
    expect(cell.ran).toHaveLength(3);
  });

  it("a hook held up by a turn that does not end runs before it at the drain deadline, once", async () => {
    let done = 0;
    loop.enqueue(input(1, "slow"));
    loop.enqueue(input(2));
    loop.runHook(HOOK, () => done++);
    await ring();
    expect([done, cell.ran]).toEqual([1, ["slow 1", "beforeMove", "slow 1"]]);
    cell.end("aborted");
    await settle();
    expect(cell.ran).toEqual(["slow 1", "beforeMove", "slow 1", "slow 1"]);
    cell.end("committed");
    await settle();
    expect(cell.ran.slice(4)).toEqual(["add 2"]);
    expect(done).toBe(1);
  });

  it("stops for good: the turn in hand is rolled back and nothing is told", async () => {
    loop.enqueue(input(1, "slow"));
    loop.enqueue(input(2));
    loop.stop();
    await settle();
    loop.enqueue(input(3));
    await ring();
    expect([cell.busy, settled, cell.ran]).toEqual([false, [], ["slow 1"]]);
  });
});
