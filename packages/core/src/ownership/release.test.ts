import { describe, expect, it } from "vitest";
import { ByteWriter } from "../bytes/writer.js";
import type { ClosedLink, Link, OutboxEntry, TurnResult } from "../session/types.js";
import { decodeClientFrame } from "../wire/client-frames.js";
import { Releaser } from "./release.js";
import type { LinkAddress } from "./slot-host.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function linkOf(id: string, more: Partial<Link> = {}): Mutable<Link> & { outbox: OutboxEntry[] } {
  const base = { id, generation: 1, ingress: "a#1", lastIn: 0, lastInVersion: 0, nextOut: 1, ackedOut: 0, outbox: [], awaySinceMs: null };
  return { ...base, ...more } as Mutable<Link> & { outbox: OutboxEntry[] };
}

const output = (seq: number, version: number): OutboxEntry => ({
  seq,
  version,
  kind: "event",
  answers: 0,
  name: "said",
  payload: new Uint8Array(),
});

function turn(version: number, touched: readonly Link[], closed: readonly ClosedLink[] = []): TurnResult {
  return { outcome: "committed", version, delta: null, touched, attach: null, closed, ended: false };
}

function releaserAt(released: number, version = released) {
  const sent: string[] = [];
  const unlinked: LinkAddress[] = [];
  const releaser = new Releaser(
    {
      epoch: 3,
      scratch: new ByteWriter(),
      deliver: (link, bytes, close) => {
        const frame = decodeClientFrame(bytes);
        const what =
          frame.t === "output"
            ? `out ${frame.seq} ack ${frame.ack}`
            : frame.t === "acked"
              ? `ack ${frame.seq}`
              : (frame as { code: string }).code;
        sent.push(`${link.id}.${link.generation} ${what}${close ? " close" : ""}`);
      },
      unlink: (link) => unlinked.push(link),
    },
    released,
    version,
  );
  return { releaser, sent, unlinked, take: () => sent.splice(0) };
}

describe("releaser", () => {
  it("[2] takes all that a session had when it came here for shown, until it has released more itself", () => {
    const { releaser } = releaserAt(0, 276);
    expect(releaser.released).toBe(0);
    expect(releaser.shownUpTo).toBe(276);
    releaser.releaseUpTo(270);
    expect(releaser.shownUpTo).toBe(276);
    releaser.releaseUpTo(277);
    expect(releaser.shownUpTo).toBe(277);
  });

  it("[12] acknowledges to a socket that was welcomed no input that a later turn handled, until that is released", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x", { generation: 2, lastIn: 21 });
    releaser.hold(turn(1, [x]), () => releaser.attached(x, x, 21)); // its attach
    x.lastIn = 22; // over its old socket, behind the attach
    x.outbox.push(output(1, 1), output(2, 2));
    releaser.hold(turn(2, [x]), null);
    releaser.releaseUpTo(1);
    releaser.acknowledgeAgain(x);
    expect(take()).toEqual(["x.2 out 1 ack 21", "x.2 ack 21"]);
    releaser.releaseUpTo(2);
    expect(take()).toEqual(["x.2 out 2 ack 22"]);
  });

  it("[12] says what follows from turns only once these are released, in their place", () => {
    const { releaser, take } = releaserAt(1);
    const said: string[] = [];
    releaser.after(1, () => said.push("at 1"));
    expect(said).toEqual(["at 1"]);
    const x = linkOf("x", { lastIn: 1 });
    releaser.attached(x, x, x.lastIn);
    x.outbox.push(output(1, 2));
    releaser.hold(turn(2, [x]), null);
    releaser.after(2, () => said.push(...take(), "at 2"));
    expect(said).toEqual(["at 1"]);
    releaser.releaseUpTo(2);
    expect(said).toEqual(["at 1", "x.1 out 1 ack 1", "at 2"]);
  });

  it("[12] holds what turns produced until they may be released, in their order", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x");
    releaser.attached(x, x, x.lastIn);
    for (const version of [1, 2, 3]) {
      x.outbox.push(output(version, version));
      x.lastIn = version;
      releaser.hold(turn(version, [x]), null);
    }
    expect(take()).toEqual([]);
    expect(releaser.held).toBe(3);
    releaser.releaseUpTo(2);
    // Message 3 and the acknowledgement of its input wait for their turn.
    expect(take()).toEqual(["x.1 out 1 ack 1", "x.1 out 2 ack 1", "x.1 ack 2"]);
    releaser.releaseUpTo(3);
    expect(take()).toEqual(["x.1 out 3 ack 3"]);
    expect(releaser.held).toBe(0);
  });

  it("tells the socket of an attach that a later one has overtaken to leave, unless both came by the same ingress", () => {
    const { releaser, sent, unlinked } = releaserAt(0);
    const x = linkOf("x", { generation: 3, ingress: "b#1" });
    for (const version of [1, 2, 3]) x.outbox.push(output(version, version));
    releaser.hold(turn(1, [x]), () => releaser.attached(x, { generation: 1, ingress: "a#1" }, 0));
    releaser.hold(turn(2, [x]), () => releaser.attached(x, { generation: 2, ingress: "b#1" }, 0));
    releaser.hold(turn(3, [x]), () => releaser.attached(x, { generation: 3, ingress: "b#1" }, 0));
    releaser.releaseUpTo(2);
    expect([unlinked, sent]).toEqual([[{ id: "x", generation: 1, ingress: "a#1" }], []]);
    releaser.releaseUpTo(3);
    expect(unlinked).toHaveLength(1);
    expect(sent).toEqual(["x.3 out 1 ack 0", "x.3 out 2 ack 0", "x.3 out 3 ack 0"]);
  });

  it("never goes back, and sends nothing twice", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x");
    releaser.attached(x, x, x.lastIn);
    x.outbox.push(output(1, 1));
    releaser.hold(turn(1, [x]), null);
    releaser.releaseUpTo(5);
    releaser.releaseUpTo(5);
    releaser.releaseUpTo(3);
    expect(take()).toEqual(["x.1 out 1 ack 0"]);
    expect(releaser.released).toBe(5);
  });

  it("says once, for turns that are released together, up to where inputs were handled", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x");
    const y = linkOf("y");
    releaser.attached(x, x, x.lastIn);
    releaser.attached(y, y, y.lastIn);
    for (const version of [1, 2, 3]) {
      x.lastIn = version;
      releaser.hold(turn(version, [x]), null);
    }
    y.lastIn = 1;
    y.outbox.push(output(1, 4));
    releaser.hold(turn(4, [y]), null);
    releaser.releaseUpTo(4);
    expect(take()).toEqual(["y.1 out 1 ack 1", "x.1 ack 3"]);
  });

  it("acknowledges an input that produced nothing, once", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x");
    releaser.attached(x, x, x.lastIn);
    x.lastIn = 1;
    releaser.hold(turn(1, [x]), null);
    releaser.hold(turn(2, [x]), null);
    releaser.releaseUpTo(2);
    expect(take()).toEqual(["x.1 ack 1"]);
    releaser.acknowledgeAgain(x);
    expect(take()).toEqual(["x.1 ack 1"]);
  });

  it("[12] does not tell a client that has just attached of inputs in turns that are not released", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x", { lastIn: 4 });
    releaser.hold(turn(1, [x]), () => releaser.attached(x, x, 4));
    x.lastIn = 5;
    releaser.hold(turn(2, [x]), null);
    x.outbox.push(output(1, 1));
    releaser.releaseUpTo(1);
    expect(take()).toEqual(["x.1 out 1 ack 4"]);
    releaser.releaseUpTo(2);
    expect(take()).toEqual(["x.1 ack 5"]);
  });

  it("runs the welcome of an attach before its outputs, and nothing goes to a socket that is not welcomed", () => {
    const { releaser, sent, take, unlinked } = releaserAt(0);
    const x = linkOf("x");
    releaser.attached(x, x, x.lastIn);
    x.outbox.push(output(1, 1));
    releaser.hold(turn(1, [x]), null);
    x.generation = 2;
    x.ingress = "c#1";
    releaser.releaseUpTo(1);
    releaser.resend(x);
    releaser.acknowledgeAgain(x);
    expect(take()).toEqual([]);
    releaser.hold(turn(2, [x]), () => {
      sent.push("welcome");
      releaser.attached(x, x, x.lastIn);
    });
    releaser.releaseUpTo(2);
    expect(take()).toEqual(["welcome", "x.2 out 1 ack 0"]);
    expect(unlinked).toEqual([{ id: "x", generation: 1, ingress: "a#1" }]);
  });

  it("goes on where the node before stopped: only what was not released there is sent, and acknowledged", () => {
    const { releaser, take } = releaserAt(10);
    const x = linkOf("x", { lastIn: 7, lastInVersion: 11, ackedOut: 2, outbox: [output(3, 9), output(4, 10), output(5, 11)] });
    const y = linkOf("y", { lastIn: 4, lastInVersion: 10 });
    const links = new Map([
      ["x", x],
      ["y", y],
    ]);
    releaser.inherit(links, 10);
    releaser.hold(turn(11, [x, y]), null);
    expect(take()).toEqual([]);
    releaser.releaseUpTo(11);
    expect(take()).toEqual(["x.1 out 5 ack 7"]);
    expect(releaser.unconfirmed(x)).toBe(true);
    expect(releaser.unconfirmed(y)).toBe(false);
  });

  it("sends again what is not confirmed, from where the client itself confirmed, and nothing that is not released", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x", { outbox: [output(1, 1), output(2, 2), output(3, 3)] });
    releaser.attached(x, x, x.lastIn);
    releaser.releaseUpTo(2);
    releaser.resend(x);
    expect(take()).toEqual(["x.1 out 1 ack 0", "x.1 out 2 ack 0"]);
    x.ackedOut = 1;
    x.outbox.shift();
    releaser.resend(x);
    expect(take()).toEqual(["x.1 out 2 ack 0"]);
    x.ingress = null;
    releaser.resend(x);
    expect(take()).toEqual([]);
  });

  it("a link that ends gets what it has not been sent, then the reason; an ended link that is away gets nothing", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x", { outbox: [output(1, 1)] });
    releaser.attached(x, x, x.lastIn);
    releaser.hold(turn(1, [x]), null);
    const gone: ClosedLink = {
      link: "x",
      generation: 1,
      ingress: "a#1",
      code: "E_LINK_KICKED",
      message: "",
      outbox: [output(1, 1), output(2, 2)],
    };
    releaser.hold(turn(2, [], [gone]), null);
    releaser.hold(turn(3, [], [{ ...gone, link: "y", ingress: null }]), null);
    releaser.releaseUpTo(1);
    expect(take()).toEqual(["x.1 out 1 ack 0"]);
    releaser.releaseUpTo(3);
    expect(take()).toEqual(["x.1 out 2 ack 0", "x.1 E_LINK_KICKED close"]);
  });

  it("keeps its order over many turns", () => {
    const { releaser, take } = releaserAt(0);
    const x = linkOf("x");
    releaser.attached(x, x, x.lastIn);
    for (let version = 1; version <= 1_000; version++) {
      x.outbox.push(output(version, version));
      releaser.hold(turn(version, [x]), null);
      if (version > 400) releaser.releaseUpTo(version - 400);
    }
    releaser.releaseUpTo(1_000);
    expect(take()).toEqual(Array.from({ length: 1_000 }, (_, i) => `x.1 out ${i + 1} ack 0`));
  });
});
