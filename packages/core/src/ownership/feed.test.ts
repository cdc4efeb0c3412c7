import { beforeEach, describe, expect, it } from "vitest";
import { type Limits, resolveLimits } from "../limits/catalogue.js";
import type { LiveCopy } from "../session/live-copy.js";
import type { PeerMessage, PeerMessageOf } from "../wire/peer-messages.js";
import { DeltaLog } from "./delta-log.js";
import { Feed, type FeedSource } from "./feed.js";
import type { SlotHost } from "./slot-host.js";

const crc32 = (data: Uint8Array, seed = 0) => data.reduce((sum, byte) => (Math.imul(sum, 31) + byte + 1) >>> 0, seed);

/** An owner without turns: versions go up when the test says so. */
class Owner {
  readonly sent: PeerMessage[] = [];
  readonly acked: number[] = [];
  readonly key = "counter/one";
  readonly stateVersion = 1;
  readonly log: DeltaLog;
  readonly host: SlotHost;
  readonly hashes = [0];
  epoch = 1;
  version = 0;
  busy = false;
  reachable = true;
  snapshotBytes = new Uint8Array(10).fill(7);
  /** What is copied live; null: it has no large arrays. */
  live: (() => LiveCopy) | null = null;
  readonly cell = { copyLive: () => this.live?.() ?? null };
  forgotten = 0;
  #due: { task: () => void; cancelled: boolean }[] = [];
  /** For how long the latest timer was set. */
  waitsMs = 0;

  constructor(limits: Partial<Limits> = {}) {
    const resolved = resolveLimits({ bulkChunkBytes: 4_096, ...limits });
    this.log = new DeltaLog(resolved.maxDeltaLogBytes, 0);
    this.host = {
      limits: resolved,
      crc32,
      clock: {
        now: () => 0,
        wallNow: () => 0,
        schedule: (ms: number, task: () => void) => {
          this.waitsMs = ms;
          const entry = { task, cancelled: false };
          this.#due.push(entry);
          return {
            cancel: () => {
              entry.cancelled = true;
            },
          };
        },
      },
      nextRequest: () => 77,
      tableFor: () => null,
      forgetTables: () => {
        this.forgotten++;
      },
      send: (_to: string, _lane: string, message: PeerMessage) => {
        if (!this.reachable) return "unreachable";
        this.sent.push(message);
        return "queued";
      },
    } as unknown as SlotHost;
  }
  get hash(): number {
    return this.hashes[this.version] as number;
  }
  snapshot(): Uint8Array {
    if (this.busy) throw new Error("a turn is in hand");
    return this.snapshotBytes;
  }
  onAcked(feed: Feed): void {
    this.acked.push(feed.acked);
  }
  turn(feed: Feed, size = 1): void {
    const delta = new Uint8Array(size).fill(this.version + 1);
    const before = this.hash;
    this.version++;
    this.hashes.push(crc32(delta, before));
    this.log.push(delta, before);
    feed.onDelta(delta, before);
  }
  ring(): void {
    for (const { task, cancelled } of this.#due.splice(0)) if (!cancelled) task();
  }
  take(): PeerMessage[] {
    return this.sent.splice(0);
  }
}

const ack = (version: number, hash: number, want: PeerMessageOf<"ack">["want"] = "nothing"): PeerMessageOf<"ack"> => ({
  t: "ack",
  session: "counter/one",
  epoch: 1,
  version,
  hash,
  want,
});

/** What was sent, in short: deltas by the versions they lead to, bases by their version and offset. */
const brief = (messages: readonly PeerMessage[]) =>
  messages.map((message) =>
    message.t === "delta"
      ? `delta ${message.fromVersion}+${message.deltas.length}`
      : message.t === "base"
        ? `base ${message.version}@${message.offset}`
        : message.t,
  );

/** One large array, read in one go each time. */
function liveCopy(arrayBytes: number): LiveCopy {
  let rest = arrayBytes;
  return {
    get restBytes() {
      return rest;
    },
    arrayBytes,
    next: (maxBytes) => {
      if (rest === 0) return null;
      const offset = arrayBytes - rest;
      const bytes = new Uint8Array(Math.min(rest, maxBytes));
      rest -= bytes.length;
      return { array: 0, arrayBytes, offset, bytes };
    },
    again: (_array, _offset, length) => {
      rest += length;
    },
    finish: () => (rest > 0 ? null : new Uint8Array(10)),
    close: () => undefined,
  };
}

describe("feed", () => {
  let owner: Owner;
  let feed: Feed;
  const open = (limits?: Partial<Limits>) => {
    owner = new Owner(limits);
    feed = new Feed(owner as unknown as FeedSource, "b#1");
  };
  beforeEach(() => open());

  it("streams each delta at once, without waiting for acknowledgements", () => {
    feed.startAt(0);
    for (let i = 0; i < 3; i++) owner.turn(feed);
    expect(brief(owner.take())).toEqual(["delta 0+1", "delta 1+1", "delta 2+1"]);
    feed.onAck(ack(3, owner.hash));
    expect([feed.acked, owner.acked]).toEqual([3, [3]]);
    owner.ring();
    expect(owner.take()).toEqual([]);
  });

  it("sends again what is not acknowledged when nothing is heard, all of it in one message", () => {
    feed.startAt(0);
    for (let i = 0; i < 3; i++) owner.turn(feed);
    feed.onAck(ack(1, owner.hashes[1] as number));
    owner.take();
    owner.ring();
    expect(brief(owner.take())).toEqual(["delta 1+2"]);
    owner.ring();
    expect(brief(owner.take())).toEqual(["delta 1+2"]);
  });

  it("sends what could not be sent once the peer is there again", () => {
    feed.startAt(0);
    owner.reachable = false;
    owner.turn(feed);
    owner.turn(feed);
    owner.reachable = true;
    feed.resend();
    expect(brief(owner.take())).toEqual(["delta 0+2"]);
  });

  it("[14] believes an acknowledgement only for a position on its own chain", () => {
    feed.startAt(0);
    for (let i = 0; i < 3; i++) owner.turn(feed);
    feed.onAck(ack(2, 12_345));
    feed.onAck(ack(3, 12_345));
    feed.onAck(ack(4, 0));
    expect([feed.acked, owner.acked]).toEqual([0, []]);
    feed.onAck(ack(2, owner.hashes[2] as number));
    expect(feed.acked).toBe(2);
    feed.onAck(ack(1, owner.hashes[1] as number));
    expect(feed.acked).toBe(2);
  });

  it("goes back to where the replica says that a gap is", () => {
    feed.startAt(0);
    for (let i = 0; i < 4; i++) owner.turn(feed);
    owner.take();
    feed.onAck(ack(1, owner.hashes[1] as number, "deltas"));
    expect(brief(owner.take())).toEqual(["delta 1+3"]);
  });

  it("copies a base, and what came meanwhile behind it", () => {
    owner.snapshotBytes = new Uint8Array(10_000);
    feed.startBase();
    expect(brief(owner.take())).toEqual(["base 0@0", "base 0@4096", "base 0@8192"]);
    owner.turn(feed);
    owner.turn(feed);
    expect([owner.take(), feed.following]).toEqual([[], false]);
    feed.onAck(ack(0, owner.hashes[0] as number));
    expect(feed.following).toBe(true);
    expect(brief(owner.take())).toEqual(["delta 0+2"]);
  });

  it("an acknowledgement of something older does not end a copy", () => {
    feed.startAt(0);
    owner.turn(feed);
    owner.turn(feed);
    feed.onAck(ack(0, 0, "base"));
    feed.onAck(ack(1, owner.hashes[1] as number));
    expect(feed.following).toBe(false);
    feed.onAck(ack(2, owner.hash));
    expect(feed.following).toBe(true);
  });

  it("waits with a base until no turn is in hand, and takes one only once", () => {
    owner.busy = true;
    feed.startBase();
    feed.onAck(ack(0, 0, "base"));
    expect(owner.take()).toEqual([]);
    owner.busy = false;
    feed.onQuiet();
    feed.onQuiet();
    expect(brief(owner.take())).toEqual(["base 0@0"]);
    feed.onAck(ack(0, 0, "base")); // asked while it is under way
    expect(owner.take()).toEqual([]);
    owner.ring();
    expect(brief(owner.take())).toEqual(["base 0@0"]);
  });

  it("goes on with a copy that met a full queue", () => {
    owner.reachable = false;
    feed.startBase();
    owner.reachable = true;
    owner.ring();
    expect(brief(owner.take())).toEqual(["base 0@0"]);
  });

  it("asks a replica whose position is not known, and starts over when it lies on another chain", () => {
    for (let i = 0; i < 3; i++) owner.turn(feed);
    feed.startProbing();
    expect(brief(owner.take())).toEqual(["delta 3+0"]);
    feed.onAck(ack(2, owner.hashes[2] as number));
    expect(brief(owner.take())).toEqual(["delta 2+1"]);
    open({ maxDeltaLogBytes: 4_096 });
    for (let i = 0; i < 6; i++) owner.turn(feed, 1_000);
    feed.startProbing();
    owner.take();
    feed.onAck(ack(1, owner.hashes[1] as number)); // too far back for the log
    expect(brief(owner.take())).toEqual(["base 6@0"]);
  });

  it("copies to a replica that went another way before the present position", () => {
    for (let i = 0; i < 3; i++) owner.turn(feed);
    feed.startProbing();
    expect(brief(owner.take())).toEqual(["delta 3+0"]);
    feed.onAck(ack(2, 999, "deltas"));
    expect(brief(owner.take())).toEqual(["base 3@0"]);
    feed.onAck(ack(3, owner.hash));
    expect([feed.following, feed.acked]).toEqual([true, 3]);
  });

  it("a delta that no frame can carry travels as a base; many are split over frames", () => {
    open({ maxPeerFrameBytes: 65_536, maxDeltaLogBytes: 10_000_000, bulkChunkBytes: 4_096 });
    feed.startAt(0);
    owner.reachable = false;
    for (let i = 0; i < 4; i++) owner.turn(feed, 15_000);
    owner.reachable = true;
    feed.resend();
    expect(brief(owner.take())).toEqual(["delta 0+2"]);
    feed.onAck(ack(2, owner.hashes[2] as number));
    expect(brief(owner.take())).toEqual(["delta 2+2"]);
    feed.onAck(ack(4, owner.hash));
    owner.turn(feed, 40_000);
    expect(brief(owner.take())).toEqual(["base 5@0"]);
  });

  it("sends tables again to a replica that lacks one", () => {
    feed.startAt(0);
    owner.turn(feed);
    owner.take();
    feed.onAck(ack(0, 0, "table"));
    expect([owner.forgotten, brief(owner.take())]).toEqual([1, ["delta 0+1"]]);
    feed.startBase();
    owner.take();
    feed.onAck(ack(0, 0, "table"));
    expect([owner.forgotten, brief(owner.take())]).toEqual([2, ["base 1@0"]]);
  });

  it("has more and more patience with a live copy of which nothing is heard, for each one stands in the way of the next", () => {
    owner.live = () => liveCopy(5_000);
    feed.startBase();
    const waits = (times: number) =>
      Array.from({ length: times }, () => {
        const { waitsMs } = owner;
        owner.ring();
        return waitsMs;
      });
    expect(waits(7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000]);
    expect(brief(owner.take()).filter((it) => it.startsWith("base"))).toHaveLength(8);
    feed.resend(); // the connection was lost, and stands again: what was under way will not come
    expect(waits(3)).toEqual([1_000, 2_000, 4_000]);
    feed.onAnswer({ t: "pieces", session: "counter/one", epoch: 1, copy: 77, seq: 1 });
    expect(waits(2)).toEqual([1_000, 2_000]);
    feed.onAck(ack(0, owner.hash));
    owner.turn(feed);
    expect(waits(2)).toEqual([1_000, 1_000]);
  });

  it("says and hears nothing after it was stopped", () => {
    feed.startAt(0);
    owner.turn(feed);
    owner.take();
    feed.stop();
    feed.onAck(ack(1, owner.hash));
    feed.resend();
    owner.ring();
    expect([owner.take(), owner.acked]).toEqual([[], []]);
  });
});
