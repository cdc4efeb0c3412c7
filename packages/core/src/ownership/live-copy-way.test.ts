import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveLimits } from "../limits/catalogue.js";
import type { ArrayPiece, LiveCopy } from "../session/live-copy.js";
import type { PeerMessage, PeerMessageOf } from "../wire/peer-messages.js";
import { CopyReceiver } from "./copy-receiver.js";
import { PieceSender } from "./piece-sender.js";
import type { ReplicaSource } from "./replica-source.js";

const PAGE = 16;
const crc32 = (data: Uint8Array, seed = 0) => data.reduce((sum, byte, i) => (Math.imul(sum, 31) + byte + i) >>> 0, seed);

/** Arrays in small pages; `finish` says what they hold. */
class Arrays implements LiveCopy {
  readonly arrays = [new Uint8Array(PAGE * 6).fill(1), new Uint8Array(PAGE * 3).fill(2)];
  readonly #marks = this.arrays.map((array) => new Set(Array.from({ length: array.length / PAGE }, (_, i) => i)));
  closed = false;

  get restBytes(): number {
    return this.#marks.reduce((sum, { size }) => sum + size * PAGE, 0);
  }
  get arrayBytes(): number {
    return this.arrays.reduce((sum, { length }) => sum + length, 0);
  }
  next(): ArrayPiece | null {
    for (const [array, marks] of this.#marks.entries()) {
      const [page] = marks;
      if (page === undefined) continue;
      marks.delete(page);
      const bytes = this.arrays[array] as Uint8Array;
      return { array, arrayBytes: bytes.length, offset: page * PAGE, bytes: bytes.slice(page * PAGE, (page + 1) * PAGE) };
    }
    return null;
  }
  again(array: number, offset: number): void {
    this.#marks[array]?.add(Math.floor(offset / PAGE));
  }
  write(array: number, page: number, value: number): void {
    const bytes = this.arrays[array] as Uint8Array;
    bytes[(page * PAGE) % bytes.length] = value;
    this.again(array, (page * PAGE) % bytes.length);
  }
  finish(): Uint8Array | null {
    return this.restBytes > 0 ? null : Uint8Array.from(this.arrays.flatMap((array) => [...array]));
  }
  close(): void {
    this.closed = true;
  }
}

function way(room = Number.POSITIVE_INFINITY) {
  const onTheWay: PeerMessageOf<"piece">[] = [];
  const limits = { ...resolveLimits(), bulkWindowBytes: PAGE * 4, bulkChunkBytes: PAGE };
  let requests = 0;
  const source = {
    key: "atlas/one",
    epoch: 4,
    host: {
      limits,
      nextRequest: () => ++requests,
      send: (_to: string, _lane: string, message: PeerMessage) => {
        if (onTheWay.length >= room) return "full";
        onTheWay.push(message as PeerMessageOf<"piece">);
        return "queued";
      },
    },
  } as unknown as ReplicaSource;
  const copy = new Arrays();
  const sender = new PieceSender(source, "b#1", copy);
  const receiver = new CopyReceiver(limits, crc32);
  return { onTheWay, copy, sender, receiver };
}

function base(sender: PieceSender, snapshot: Uint8Array): PeerMessageOf<"base"> {
  return {
    t: "base",
    session: "atlas/one",
    epoch: 4,
    version: 9,
    hash: 5,
    stateVersion: 1,
    totalBytes: snapshot.length,
    crc: crc32(snapshot),
    offset: 0,
    chunk: snapshot,
    table: null,
    copy: sender.id,
    pieces: sender.pieces,
  };
}

describe("the pieces of a live copy", () => {
  it("make up the arrays of the snapshot behind them, however many are lost, doubled, late or out of order", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const) }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), at: fc.nat(9), keep: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("lose" as const), at: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("confirm" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("readAgain" as const) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("write" as const),
          array: fc.nat(1),
          page: fc.nat(5),
          value: fc.integer({ min: 3, max: 250 }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { onTheWay, copy, sender, receiver } = way();
        const deliver = (at: number, keep: boolean) => {
          const message = onTheWay[at % Math.max(1, onTheWay.length)];
          if (message === undefined) return;
          receiver.piece(message);
          if (!keep) onTheWay.splice(onTheWay.indexOf(message), 1);
        };
        for (const it of steps) {
          if (it.do === "send") sender.send();
          else if (it.do === "deliver") deliver(it.at, it.keep);
          else if (it.do === "lose") onTheWay.splice(it.at % Math.max(1, onTheWay.length), 1);
          else if (it.do === "confirm") sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }));
          else if (it.do === "write") copy.write(it.array, it.page, it.value);
          else if (sender.begun) sender.readAgain();
        }
        // What a feed does when the way is good again; what is still on the old way arrives at any time.
        const late = onTheWay.splice(0);
        let whole: ReturnType<CopyReceiver["chunk"]> = null;
        for (let round = 0; whole === null && round < 50; round++) {
          sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }));
          if (!sender.begun && sender.pieces > 0) return; // a feed begins anew then, with another copy
          if (sender.begun) sender.readAgain();
          while (sender.send() !== "all" || copy.restBytes > 0) {
            while (onTheWay.length > 0) deliver(0, false);
            sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }));
          }
          while (onTheWay.length > 0) {
            deliver(0, false);
            const old = late.shift();
            if (old !== undefined) receiver.piece(old);
          }
          const snapshot = copy.finish();
          if (snapshot !== null) whole = receiver.chunk(base(sender, snapshot));
        }
        expect(whole).not.toBeNull();
        expect(whole?.apart.flatMap((array) => [...array])).toEqual([...(whole?.snapshot ?? [])]);
      }),
      { numRuns: 500 },
    );
  });

  it("never exceed the window that was not confirmed, and ask for a reply within it", () => {
    const { onTheWay, sender } = way();
    expect(sender.send()).toBe("window");
    expect(onTheWay.length).toBe(4);
    expect(onTheWay.some(({ reply }) => reply)).toBe(true);
    expect(sender.send()).toBe("window");
    expect(onTheWay.length).toBe(4);
    sender.onArrived(2);
    sender.send();
    expect(onTheWay.length).toBe(6);
  });

  it("go on where they were when the way was lost", () => {
    const { onTheWay, sender, receiver, copy } = way();
    sender.send();
    for (const message of onTheWay.splice(0, 3)) receiver.piece(message);
    onTheWay.length = 0;
    sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }));
    expect(sender.begun).toBe(true);
    const before = copy.restBytes;
    sender.readAgain();
    expect(copy.restBytes).toBe(before + PAGE);
    sender.send();
    expect(onTheWay[0]).toMatchObject({ seq: 5, floor: 5 });
    receiver.piece(onTheWay[0] as PeerMessageOf<"piece">);
    expect(receiver.arrived({ copy: sender.id, epoch: 4 })).toBe(5);
  });

  it("wait when the way is full, and are read then as they are", () => {
    const { onTheWay, sender, copy } = way(1);
    expect(sender.send()).toBe("blocked");
    copy.write(0, 1, 99);
    const seen: number[] = [];
    while (copy.restBytes > 0) {
      for (const { array, offset, chunk } of onTheWay.splice(0)) if (array === 0 && offset === PAGE) seen.push(chunk[0] as number);
      sender.onArrived(sender.pieces);
      sender.send();
    }
    for (const { array, offset, chunk } of onTheWay) if (array === 0 && offset === PAGE) seen.push(chunk[0] as number);
    expect(seen).toEqual([99]);
  });

  it("of an older copy are left aside once a newer one has begun", () => {
    const { onTheWay, sender, receiver } = way();
    sender.send();
    const [first, second] = onTheWay as [PeerMessageOf<"piece">, PeerMessageOf<"piece">];
    receiver.piece({ ...first, copy: sender.id + 1 });
    receiver.piece(first);
    receiver.piece(second);
    expect(receiver.arrived({ copy: sender.id, epoch: 4 })).toBe(0);
    expect(receiver.arrived({ copy: sender.id + 1, epoch: 4 })).toBe(1);
  });

  it("of an owner before, under the same number, do not count for those of the present one", () => {
    const { onTheWay, sender, receiver } = way();
    sender.send();
    const [first, second] = onTheWay as [PeerMessageOf<"piece">, PeerMessageOf<"piece">];
    receiver.piece(first);
    receiver.piece(second);
    expect(receiver.arrived({ copy: sender.id, epoch: 5 })).toBe(0);
    receiver.piece({ ...second, epoch: 5 });
    expect(receiver.arrived({ copy: sender.id, epoch: 5 })).toBe(0);
    receiver.piece({ ...first, epoch: 5 });
    expect(receiver.arrived({ copy: sender.id, epoch: 5 })).toBe(1);
  });

  it("that fit no array, or take too much memory, end the copy with a named error", () => {
    const { onTheWay, sender, receiver } = way();
    sender.send();
    const first = onTheWay[0] as PeerMessageOf<"piece">;
    expect(() => receiver.piece({ ...first, array: 3 })).toThrow(/out of place/);
    expect(() => way().receiver.piece({ ...first, offset: PAGE * 6 })).toThrow(/out of place/);
    expect(() => way().receiver.piece({ ...first, arrayBytes: 2 ** 31 })).toThrow(/more than/);
  });

  it("that were given up do not count for the snapshot that followed them", () => {
    const { onTheWay, sender, receiver, copy } = way();
    while (sender.send() !== "all") {
      for (const message of onTheWay.splice(0)) receiver.piece(message);
      sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }) - 2); // the word of the latest is not back yet
    }
    const late = base(sender, copy.finish() as Uint8Array);
    onTheWay.length = 0; // the last pieces are lost, and their snapshot takes its time
    sender.readAgain();
    sender.send();
    expect(onTheWay.length).toBeGreaterThan(1);
    receiver.piece(onTheWay[1] as PeerMessageOf<"piece">); // it comes before the first
    expect(receiver.chunk(late)).toBeNull();
    for (const message of onTheWay) receiver.piece(message);
    expect(receiver.chunk(base(sender, copy.finish() as Uint8Array))).not.toBeNull();
  });

  it("do not count for a snapshot that names more of them", () => {
    const { onTheWay, sender, receiver, copy } = way();
    while (sender.send() !== "all") {
      for (const message of onTheWay.splice(0)) receiver.piece(message);
      sender.onArrived(receiver.arrived({ copy: sender.id, epoch: 4 }));
    }
    const snapshot = copy.finish() as Uint8Array;
    expect(onTheWay.length).toBeGreaterThan(0);
    expect(receiver.chunk(base(sender, snapshot))).toBeNull();
    for (const message of onTheWay) receiver.piece(message);
    expect(receiver.chunk(base(sender, snapshot))).not.toBeNull();
  });
});
