import { describe, expect, it } from "vitest";
import { defineSession } from "./define-session.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";

const journal = defineSession({
  name: "journal",
  version: 1,
  durability: "eventual",
  state: () => ({ lines: 0, left: [] as string[] }),
  actions: (action) => ({
    say: action(null, (ctx) => {
      ctx.state.lines++;
      ctx.broadcast("said", ctx.state.lines);
    }),
    left: action(null, (ctx) => [...ctx.state.left]),
  }),
  onLeave: (ctx, _link, reason) => {
    ctx.state.left.push(reason);
  },
});

/** An owner whose client has seen `seen` broadcasts, and a promoted copy that knows of fewer. */
function lose(copied: number, seen: number) {
  const env = testEnv();
  const owner = new Driver(journal, env);
  owner.attach("a");
  owner.attach("other");
  for (let i = 0; i < copied; i++) owner.call("other", "say");
  const snapshot = owner.cell.snapshot();
  for (let i = copied; i < seen; i++) owner.call("other", "say");
  const copy = new Driver(journal, env, createSessionFactory(journal, env).restore("room/1", snapshot));
  const branch = copy.run({ kind: "branch", epoch: 2 }, true);
  return { copy, branch };
}

describe("a session that goes on from a copy that lacks turns", () => {
  it("makes every client attach again before it is heard", () => {
    const { copy, branch } = lose(2, 2);
    expect(branch).toMatchObject({ outcome: "committed", version: 5 });
    expect(copy.link("a").ingress).toBeNull();
    expect(copy.link("a").generation).toBeGreaterThan(1_000);
  });

  it("continues the link of a client that saw nothing that is lost", () => {
    const { copy } = lose(2, 4);
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 2 });
    expect(attach).toMatchObject({ recovered: true, nextOut: 3 });
  });

  it("tells a client that saw lost turns, and how many of its messages they were", () => {
    const { copy } = lose(2, 5);
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 5 });
    expect(attach).toMatchObject({ recovered: false, reason: "E_TURNS_LOST", lostOutputs: 3, lostInputs: 0, lastIn: 0, nextOut: 1 });
    copy.attach("b");
    copy.call("b", "left");
    expect(copy.last("b")).toMatchObject({ value: ["E_TURNS_LOST"] });
  });

  it("tells it also when new messages have taken the numbers that it has seen", () => {
    const { copy } = lose(2, 4);
    copy.attach("other", { token: "other-1", nextToken: "other-2", epoch: 1, offsetEpoch: 1 });
    for (let i = 0; i < 6; i++) copy.call("other", "say");
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 4 });
    expect(attach).toMatchObject({ recovered: false, reason: "E_TURNS_LOST", lostOutputs: 2 });
  });

  it("goes by the epoch of the numbers, not by the newest that the client has heard of", () => {
    const { copy } = lose(2, 4);
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 2, offsetEpoch: 1, lastOut: 4 });
    expect(attach).toMatchObject({ recovered: false, reason: "E_TURNS_LOST" });
  });

  it("tells a client whose confirmed inputs are undone", () => {
    const { copy } = lose(2, 2);
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 2, sent: 3, acked: 3 });
    expect(attach).toMatchObject({ recovered: false, reason: "E_TURNS_LOST", lostOutputs: 0, lostInputs: 3 });
  });

  it("names the loss when the link itself, or its latest token, is lost", () => {
    const { copy } = lose(2, 2);
    const claim = { epoch: 1, offsetEpoch: 1, lastOut: 3, acked: 1, sent: 1 };
    expect(copy.attach("late", claim).attach).toMatchObject({ reason: "E_TURNS_LOST", lostOutputs: 3, lostInputs: 1 });
    expect(copy.attach("a", { token: "a-7", nextToken: "a-8", epoch: 1, offsetEpoch: 1 }).attach).toMatchObject({
      ok: false,
      error: { code: "E_TURNS_LOST" },
    });
    expect(copy.attach("a", { token: "guess", nextToken: "a-8", epoch: 0, offsetEpoch: 0 }).attach).toMatchObject({
      error: { code: "E_LINK_TOKEN" },
    });
  });

  it("counts the numbers from the first of two branches that a client missed", () => {
    const { copy } = lose(2, 4);
    copy.attach("other", { token: "other-1", nextToken: "other-2", epoch: 1, offsetEpoch: 1 });
    for (let i = 0; i < 6; i++) copy.call("other", "say");
    copy.run({ kind: "branch", epoch: 4 });
    const { attach } = copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 4 });
    expect(attach).toMatchObject({ reason: "E_TURNS_LOST", lostOutputs: 2 });
  });

  it("is over for a client that has attached since", () => {
    const { copy } = lose(2, 2);
    copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 2 });
    copy.attach("other", { token: "other-1", nextToken: "other-2", epoch: 1, offsetEpoch: 1 });
    for (let i = 0; i < 3; i++) copy.call("other", "say");
    const { attach } = copy.attach("a", { token: "a-2", nextToken: "a-3", epoch: 2, offsetEpoch: 2, lastOut: 5 });
    expect(attach).toMatchObject({ recovered: true, nextOut: 6 });
  });

  it("takes no frame of the lost turns for one of a later link", () => {
    const { copy } = lose(2, 4);
    copy.attach("a", { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 4 });
    const late = copy.message("a", "say", undefined, { generation: 2, seq: 1 });
    expect(copy.run(late)).toMatchObject({ outcome: "ignored" });
  });

  it("answers the hello that a link began anew with as it did before, when it comes again", () => {
    const { copy } = lose(2, 5);
    const hello = { token: "a-1", nextToken: "a-2", epoch: 1, offsetEpoch: 1, lastOut: 5 };
    copy.attach("a", hello);
    copy.attach("other", { token: "other-1", nextToken: "other-2", epoch: 1, offsetEpoch: 1 });
    for (let i = 0; i < 7; i++) copy.call("other", "say");
    const { attach } = copy.attach("a", hello);
    expect(attach).toMatchObject({ recovered: false, reason: "E_TURNS_LOST", lostOutputs: 3, lastIn: 0, nextOut: 1 });
    expect(copy.outbox("a")).toHaveLength(7);
    // Once it has used its next pair it goes on as any link does.
    expect(copy.attach("a", { token: "a-2", nextToken: "a-3", epoch: 2, offsetEpoch: 2, lastOut: 2 }).attach).toMatchObject({
      recovered: true,
      nextOut: 3,
    });
  });

  it("reaches replicas with the turn, and travels in snapshots", () => {
    const env = testEnv();
    const owner = new Driver(journal, env);
    owner.attach("a");
    const factory = createSessionFactory(journal, env);
    const replica = factory.restore("room/1", owner.cell.snapshot());
    replica.apply(owner.run({ kind: "branch", epoch: 6 }, true).delta ?? new Uint8Array());
    const image = (snapshot: Uint8Array) => env.codec.decode(snapshot);
    expect(image(replica.snapshot())).toEqual(owner.image());
    const again = factory.restore("room/1", replica.snapshot());
    expect(image(again.snapshot())).toEqual(owner.image());
    expect(again.durability).toBe("eventual");
  });

  it("keeps the durability that it was created with", () => {
    const env = testEnv();
    const owner = new Driver(journal, env);
    const strong = createSessionFactory({ ...journal, durability: "strong" }, env);
    expect(strong.restore("room/1", owner.cell.snapshot()).durability).toBe("eventual");
  });
});
