import { nodeIdOf, type PeerMessage } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import type { counter } from "./counter-session.js";
import { Gate, nastySession } from "./nasty-session.js";
import { Stage } from "./nasty-stage.js";
import { RawClient } from "./raw-client.js";
import { Talker } from "./talker.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;
const STEPS = ["offer", "accept", "base", "grant", "taken", "released"] as const;
const TOKENS = ["token-0-of-the-link", "token-1-of-the-link", "token-2-of-the-link", "token-3-of-the-link"] as const;

const link = (name: string) => `${name}-0123456789abcdef`;

describe("interleavings 26, 27, 29: a client resumes somewhere while the session moves", () => {
  const cases = STEPS.flatMap((type) => ["the old owner", "the target", "a third node"].map((where) => ({ type, where })));
  it.each(cases)("at $where, when $type is sent", async ({ type, where }) => {
    const stage = await Stage.open({ seed: 101, nodes: ["a", "b", "c", "d"], talkers: { ann: "a", bob: "d" } });
    const { cluster, target } = stage;
    const through =
      where === "the old owner" ? "a" : where === "the target" ? target : (["b", "c", "d"].find((id) => id !== target) as string);
    let joined: Promise<unknown> | undefined;
    const late: Talker[] = [];
    const hit = stage.taps.onFrame(type, () => {
      // Everybody's sockets break, and somebody new comes.
      for (const id of ["a", "b", "c", "d"]) cluster.sockets.cutAll(cluster.node(id).endpoint);
      joined = cluster
        .connect<typeof counter>(stage.key, [through, "a", "b", "c", "d"])
        .then((client) => late.push(new Talker("cid", client)));
      return undefined;
    });
    const move = stage.move("a", target);
    await stage.until("the step was met", () => hit.times > 0, 3_000, true);
    await stage.until("the newcomer is in", () => late.length > 0, 3_000, true);
    await joined;
    const [cid] = late;
    if (cid !== undefined) await cluster.until(cid.say(), 3_000);
    await stage.until("the move has ended", () => move.end !== undefined, 3_000, true);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
    expect(cid?.report().problems).toEqual([]);
  });

  it("26: frames of an older epoch do not reach a client, whoever sends them", async () => {
    const stage = await Stage.open({ seed: 102 });
    const raw = await RawClient.open(stage.cluster, stage.key, "c");
    raw.hello(link("far"), TOKENS[0], TOKENS[1]);
    await raw.next("welcome");
    stage.taps.recording = true;
    await stage.run(30, { talking: true });
    const a = stage.refOf("a");
    const old = stage.taps.frames.filter(({ message, to }) => message.t === "output" && nodeIdOf(to) === "c");
    expect(old.length).toBeGreaterThan(3);
    const move = stage.move("a", "b");
    await stage.until("it has moved", () => move.end !== undefined, 3_000, true);
    await stage.run(50, { talking: true });
    await stage.run(30);
    expect(raw.received.find(({ t }) => t === "moved")).toMatchObject({ epoch: 2, to: "b" });
    const received = raw.received.length;
    for (const { message } of old) {
      // As if the old owner were still at it, ahead of where the new one is.
      if (message.t === "output") stage.inject(a, "c", message);
    }
    await stage.run(20);
    expect(raw.received.length).toBe(received);
    expect(await stage.settle()).toEqual([]);
  });

  it("21: the session has gone A → B → C while a client still asks A; hops are bounded and the directory decides", async () => {
    for (const maxRelayHops of [1, 4]) {
      const stage = await Stage.open({ seed: 103, nodes: ["a", "b", "c", "d"], talkers: { ann: "d" }, limits: { maxRelayHops } });
      // d never hears of a move.
      stage.taps.onFrame("route", () => LOST, { ...ALWAYS, to: "d" });
      for (const [from, to] of [
        ["a", "b"],
        ["b", "c"],
        ["c", "a"],
        ["a", "c"],
      ] as const) {
        const move = stage.move(from, to);
        await stage.until(`it is at ${to}`, () => move.end !== undefined, 5_000, true);
      }
      expect(await stage.settle(), `${maxRelayHops} hops`).toEqual([]);
      expect(stage.cluster.ownerOf(stage.key)).toBe("c");
    }
  });
});

describe("interleavings 28, 29, 33, 34, 36: what good clients do not do", () => {
  it("28, 29: attaches over two sockets at once at two nodes: one is released, and only one gets the messages", async () => {
    const stage = await Stage.open({ seed: 111 });
    const { cluster, key } = stage;
    const one = await RawClient.open(cluster, key, "a");
    const two = await RawClient.open(cluster, key, "c");
    one.hello(link("twice"), TOKENS[0], TOKENS[1]);
    two.hello(link("twice"), TOKENS[0], TOKENS[1]);
    await stage.run(60, { talking: true });
    await stage.run(100);
    const welcomes = [one, two].filter((client) => client.received.some(({ t }) => t === "welcome"));
    expect(welcomes.length).toBeGreaterThan(0);
    const before = [one.outputs.length, two.outputs.length];
    await stage.run(40, { talking: true });
    await stage.run(100);
    const grown = [one.outputs.length - (before[0] as number), two.outputs.length - (before[1] as number)].filter((more) => more > 0);
    expect(grown).toHaveLength(1);
    expect(await stage.settle()).toEqual([]);
  });

  it("28: the half-open old socket writes on after the new one has attached: nothing of it is handled", async () => {
    const stage = await Stage.open({ seed: 112 });
    const { cluster, key } = stage;
    const old = await RawClient.open(cluster, key, "a");
    old.hello(link("half"), TOKENS[0], TOKENS[1]);
    await old.next("welcome");
    old.input(1, "add", { who: "half", n: 1 });
    await old.next("output");
    const fresh = await RawClient.open(cluster, key, "c");
    fresh.hello(link("half"), TOKENS[1], TOKENS[2], { epoch: 1, lastOut: 0, sent: 1 });
    const welcome = await fresh.next("welcome");
    expect(welcome.recovered).toBe(true);
    expect(welcome.lastIn).toBe(1);
    old.input(2, "add", { who: "half", n: 666 });
    await stage.run(30);
    fresh.input(2, "add", { who: "half", n: 2 });
    await stage.run(30);
    const { seen } = await cluster.until((stage.talkers[0] as Talker).client.call.read());
    expect(seen.half).toEqual([1, 2]);
    expect(await stage.settle()).toEqual([]);
  });

  it("33: what the client did not confirm itself is sent again after a move, a reconnect and a fail-over", async () => {
    const stage = await Stage.open({ seed: 113, nodes: ["a", "b", "c", "d"], talkers: { ann: "d" } });
    const { cluster, key, target } = stage;
    const raw = await RawClient.open(cluster, key, "a");
    raw.hello(link("silent"), TOKENS[0], TOKENS[1]);
    const { nextOut } = await raw.next("welcome");
    await stage.run(20, { talking: true });
    await stage.run(50);
    const first = raw.outputs;
    expect(first.length).toBeGreaterThan(5);
    const move = stage.move("a", target);
    await stage.until("it has moved", () => move.end !== undefined, 3_000);
    raw.close();
    const again = await RawClient.open(cluster, key, target);
    again.hello(link("silent"), TOKENS[1], TOKENS[2], { epoch: 2, lastOut: nextOut - 1 });
    expect(await again.next("welcome")).toMatchObject({ recovered: true, nextOut, epoch: 2 });
    await stage.run(50);
    expect(again.outputs.slice(0, first.length)).toEqual(first);
    cluster.crash(target);
    await stage.until("a standby took over", () => cluster.ownerOf(key) !== null, 5_000);
    const last = await RawClient.open(cluster, key, cluster.ownerOf(key) as string);
    last.hello(link("silent"), TOKENS[2], TOKENS[3], { epoch: 2, lastOut: nextOut - 1 });
    expect((await last.next("welcome")).recovered).toBe(true);
    await stage.run(50);
    expect(last.outputs.slice(0, first.length)).toEqual(first);
    expect(await stage.settle()).toEqual([]);
  });

  it("34: a sequence number of the future is not handled, and harms nobody", async () => {
    const stage = await Stage.open({ seed: 114 });
    const { cluster, key } = stage;
    const raw = await RawClient.open(cluster, key, "a");
    raw.hello(link("future"), TOKENS[0], TOKENS[1]);
    await raw.next("welcome");
    for (const seq of [2, 1_000, 2 ** 32, Number.MAX_SAFE_INTEGER]) raw.input(seq, "add", { who: "future", n: seq });
    raw.send({ t: "ack", seq: Number.MAX_SAFE_INTEGER, gap: true });
    await stage.run(50, { talking: true });
    const move = stage.move("a", stage.target);
    await stage.until("it has moved", () => move.end !== undefined, 3_000, true);
    const { seen } = await cluster.until((stage.talkers[0] as Talker).client.call.read());
    expect(seen.future).toBeUndefined();
    expect(await stage.settle()).toEqual([]);
  });

  it.each(["before", "after"])(
    "34: says hello %s a move with numbers that were never given: a named reset, no silent gap",
    async (when) => {
      const stage = await Stage.open({ seed: 115 });
      const { cluster, key, target } = stage;
      const raw = await RawClient.open(cluster, key, "a");
      raw.hello(link("liar"), TOKENS[0], TOKENS[1]);
      await raw.next("welcome");
      let owner = "a";
      if (when === "after") {
        const move = stage.move("a", target);
        await stage.until("it has moved", () => move.end !== undefined, 3_000, true);
        owner = target;
      }
      const again = await RawClient.open(cluster, key, owner);
      again.hello(link("liar"), TOKENS[1], TOKENS[2], { epoch: 1, lastOut: 1_000_000, sent: 0 });
      expect(await again.next("welcome")).toMatchObject({ recovered: false, reason: "E_SEQUENCE_INVALID" });
      expect(await stage.settle()).toEqual([]);
    },
  );

  it("centrifuge-go#160: an offset of a session that was lost does not continue the one that took its name", async () => {
    const stage = await Stage.open({ seed: 117, talkers: { ann: "a" } });
    const { cluster, key } = stage;
    const raw = await RawClient.open(cluster, key, "a");
    raw.hello(link("old"), TOKENS[0], TOKENS[1]);
    await raw.next("welcome");
    await stage.run(30, { talking: true });
    for (const id of ["a", stage.standby]) cluster.crash(id);
    await stage.run(3_000, { stepMs: 20 });
    const other = await RawClient.open(cluster, key, stage.target);
    other.hello(link("new"), TOKENS[0], TOKENS[1]);
    await other.next("welcome");
    const back = await RawClient.open(cluster, key, stage.target);
    back.hello(link("old"), TOKENS[1], TOKENS[2], { epoch: 1, lastOut: 3, sent: 2 });
    const welcome = await back.next("welcome");
    expect(welcome).toMatchObject({ recovered: false, nextOut: 1, lastIn: 0, epoch: 3 });
    expect(welcome.reason).toMatch(/^E_/);
    expect(cluster.incidents.map(({ code }) => code)).toContain("E_SESSION_LOST");
  });

  it("criu#953: an input is acknowledged when it is handled and held by the standby, not when it was read", async () => {
    const stage = await Stage.open({ seed: 118, talkers: { ann: "a" } });
    const { cluster, key } = stage;
    const raw = await RawClient.open(cluster, key, "a");
    raw.hello(link("sure"), TOKENS[0], TOKENS[1]);
    await raw.next("welcome");
    await stage.run(20);
    cluster.network.cut(cluster.node(stage.standby).address, cluster.node("a").address);
    for (let seq = 1; seq <= 5; seq++) raw.input(seq, "add", { who: "sure", n: seq });
    await stage.run(300);
    expect(cluster.slot("a", key)?.cell?.links.get(link("sure"))?.lastIn).toBe(5); // handled
    expect(raw.received.some((frame) => frame.t === "acked" || (frame.t === "output" && frame.ack > 0))).toBe(false);
    cluster.network.heal();
    await stage.until("it is acknowledged", () => raw.received.some((frame) => frame.t === "output" && frame.ack > 0), 3_000);
    expect(await stage.settle()).toEqual([]);
  });

  it.each(["at the same owner", "after a move"])("36: a stolen resume token that was used is refused, %s", async (when) => {
    const stage = await Stage.open({ seed: 116 });
    const { cluster, key, target } = stage;
    const mine = await RawClient.open(cluster, key, "a");
    mine.hello(link("mine"), TOKENS[0], TOKENS[1]);
    await mine.next("welcome");
    mine.close();
    const back = await RawClient.open(cluster, key, "c");
    back.hello(link("mine"), TOKENS[1], TOKENS[2], { epoch: 1 });
    await back.next("welcome");
    back.input(1, "add", { who: "mine", n: 1 }); // it has seen its welcome
    await stage.run(30);
    if (when === "after a move") {
      const move = stage.move("a", target);
      await stage.until("it has moved", () => move.end !== undefined, 3_000, true);
    }
    for (const stolen of [TOKENS[0], TOKENS[1], "a guess of equal size"]) {
      const thief = await RawClient.open(cluster, key, "b");
      thief.hello(link("mine"), stolen, "token-of-a-thief-xyz", { epoch: 1, sent: 1 });
      expect(await thief.next("problem")).toMatchObject({ code: "E_LINK_TOKEN", fatal: true });
      expect(thief.outputs).toEqual([]);
    }
    back.input(2, "add", { who: "mine", n: 2 });
    await stage.run(50);
    const { seen } = await cluster.until((stage.talkers[0] as Talker).client.call.read());
    expect(seen.mine).toEqual([1, 2]);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 30, emqx#6393, akka.net#8501: input that comes between freeze and TAKEN", () => {
  it("is handled at the target at once, in order, without waiting for a timer", async () => {
    const stage = await Stage.open({ seed: 121, talkers: { ann: "a", bob: "c" } });
    const { cluster } = stage;
    const late = { copies: 1, extraMs: 40 };
    const hit = stage.taps.onFrame("grant", () => {
      // All that follows on the same connection comes behind it.
      stage.taps.onFrame(
        () => true,
        () => late,
        { ...ALWAYS, from: "a", to: stage.target },
      );
      return late;
    });
    const move = stage.move("a", stage.target);
    await stage.until("the session is frozen", () => hit.times > 0, 3_000, true);
    const from = cluster.clock.now();
    const sent = stage.talkers.map((talker) => talker.sent);
    await stage.run(30, { talking: true });
    await stage.until("the target runs", () => stage.roleOf(stage.target) === "owner", 500);
    const took = cluster.clock.now() - from;
    stage.taps.clear();
    await stage.run(60);
    // Far less than the 2 s after which a client would send again.
    for (const [i, talker] of stage.talkers.entries()) expect(talker.answered).toBeGreaterThanOrEqual((sent[i] as number) + 15);
    expect(took).toBeLessThan(60);
    expect(move.end).toEqual({ moved: true });
    expect(await stage.settle()).toEqual([]);
  });

  it("is handled first and in order at the source when the heir declines", async () => {
    const stage = await Stage.open({ seed: 122, talkers: { ann: "a", bob: "a" } });
    stage.taps.onFrame("grant", () => LOST, ALWAYS);
    const move = stage.move("a", stage.target);
    await stage.until("it is granted", () => stage.roleOf("a") === "granted", 3_000, true);
    await stage.run(30, { talking: true });
    const sent = stage.talkers.map((talker) => talker.sent);
    await stage.until("it has been declined", () => move.end !== undefined, 3_000);
    await stage.run(20);
    for (const [i, talker] of stage.talkers.entries()) expect(talker.answered).toBe(sent[i]);
    expect(await stage.settle()).toEqual([]);
    expect(stage.cluster.ownerOf(stage.key)).toBe("a");
  });
});

describe("interleaving 30: what several clients say while the session is frozen keeps the order in which it came", () => {
  it.each(["the target takes the session at last", "the heir declines", "the source dies"])("when %s", async (how) => {
    const stage = await Stage.open({
      seed: 123,
      talkers: { ann: "c", bob: "c" },
      limits: { heirDeadlineMs: how === "the heir declines" ? 400 : 5_000 },
    });
    const [ann, bob] = stage.talkers as [Talker, Talker];
    // Both stay where their sockets are, so that nothing but the freeze is between them and the session.
    await stage.until("both have switched to the owner", () => stage.talkers.every(({ client }) => client.endpoint === "sim://a"), 3_000);
    const heard: string[] = [];
    ann.client.on("said", ({ who }) => heard.push(who));
    stage.taps.onFrame("grant", () => LOST, ALWAYS);
    const move = stage.move("a", stage.target);
    await stage.until("it is granted", () => stage.roleOf("a") === "granted", 3_000);
    const order: string[] = [];
    for (let i = 0; i < 12; i++) {
      const talker = i % 3 === 0 ? ann : bob;
      order.push(talker.name);
      stage.say(talker);
      await stage.run(10);
    }
    expect(heard).toEqual([]);
    if (how === "the target takes the session at last") stage.taps.clear();
    if (how === "the source dies") {
      // What it had passed on is parked at the heir, who takes over. The clients have no way to speak meanwhile.
      for (const id of ["a", "b", "c"]) stage.cluster.sockets.cutAll(stage.cluster.node(id).endpoint);
      stage.cluster.crash("a");
    }
    await stage.until("all is heard", () => heard.length === order.length, 8_000);
    expect(heard).toEqual(order);
    if (how !== "the source dies") expect(move.end?.moved).toBe(how !== "the heir declines");
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 32: the outbox of a client that is away", () => {
  it.each([
    { over: -1, recovered: true },
    { over: 0, recovered: true },
    { over: 1, recovered: false },
  ])("at its bound $over, across a move: recovered is $recovered, and no gap is silent", async ({ over, recovered }) => {
    const bound = 40;
    const stage = await Stage.open({ seed: 131, talkers: { ann: "a" }, limits: { maxOutboxMessages: bound } });
    const { cluster, key, target } = stage;
    const raw = await RawClient.open(cluster, key, "c");
    raw.hello(link("away"), TOKENS[0], TOKENS[1]);
    const { nextOut } = await raw.next("welcome");
    await stage.run(10);
    raw.close();
    await stage.run(10);
    const ann = stage.talkers[0] as Talker;
    for (let i = 0; i < 20; i++) await cluster.until(ann.say());
    const move = stage.move("a", target);
    await stage.until("it has moved", () => move.end !== undefined, 3_000);
    for (let i = 20; i < bound + over; i++) await cluster.until(ann.say());
    const back = await RawClient.open(cluster, key, target);
    back.hello(link("away"), TOKENS[1], TOKENS[2], { epoch: 1, lastOut: nextOut - 1 });
    const welcome = await back.next("welcome");
    await stage.run(30);
    expect(welcome.recovered).toBe(recovered);
    if (recovered) expect(back.outputs).toEqual(Array.from({ length: bound + over }, (_, i) => nextOut + i));
    else expect(welcome.reason).toMatch(/^E_LINK_/);
    expect(await stage.settle()).toEqual([]);
  });
});

describe("interleaving 31: handlers that wait, hang or throw at the freeze", () => {
  it("31: a turn that waits for I/O may finish before the drain deadline, and runs once", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 141, definitions: [nastySession(gate)] });
    const ann = slowTalker(stage);
    gate.close();
    const slow = ann.slow({ who: "slow", n: 1 });
    await stage.run(20);
    const move = stage.move("a", stage.target);
    await stage.run(100, { talking: true });
    expect(stage.roleOf("a")).toBe("owner");
    gate.open();
    await stage.until("it has moved", () => move.end !== undefined, 1_000, true);
    expect(move.end).toEqual({ moved: true });
    await stage.cluster.until(slow);
    const { fired, seen } = await stage.cluster.until(ann.read());
    expect({ fired, slow: seen.slow, runs: gate.log.length }).toEqual({ fired: ["slow 1"], slow: [1], runs: 1 });
    expect(await stage.settle()).toEqual([]);
  });

  it("31: a turn that never ends is rolled back whole at the drain deadline and runs at the target", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 142, definitions: [nastySession(gate)] });
    const ann = slowTalker(stage);
    gate.close();
    const slow = ann.slow({ who: "slow", n: 1 });
    await stage.run(20);
    const move = stage.move("a", stage.target);
    await stage.until("it has moved", () => move.end !== undefined, 2_000, true);
    expect(move.end).toEqual({ moved: true });
    expect(gate.waiting).toBe(3); // rolled back before the onBeforeMove hook and at the freeze, and the one at the target
    gate.open();
    await stage.cluster.until(slow);
    const { fired, seen } = await stage.cluster.until(ann.read());
    expect({ fired, slow: seen.slow, runs: gate.log.length }).toEqual({ fired: ["slow 1"], slow: [1], runs: 3 });
    expect(await stage.settle()).toEqual([]);
  });

  it("31: work left behind by a handler is waited for until the drain deadline, no longer", async () => {
    for (const opens of [true, false]) {
      const gate = new Gate();
      const stage = await Stage.open({ seed: 143, definitions: [nastySession(gate)] });
      const ann = slowTalker(stage);
      gate.close();
      await stage.cluster.until(ann.background({ who: "back", n: 1 }));
      const move = stage.move("a", stage.target);
      await stage.run(200, { talking: true });
      expect(stage.roleOf("a")).toBe("owner");
      if (opens) gate.open();
      await stage.until("it has moved", () => move.end !== undefined, 400, true);
      expect(move.end).toEqual({ moved: true });
      gate.open();
      expect(await stage.settle()).toEqual([]);
    }
  });

  it("plane#749: a client that attaches while a long turn is in hand is welcomed once, however often its ingress asked", async () => {
    const gate = new Gate();
    const stage = await Stage.open({ seed: 145, definitions: [nastySession(gate)], talkers: { ann: "a" } });
    const { cluster, key } = stage;
    gate.close();
    const slow = slowTalker(stage).slow({ who: "slow", n: 1 });
    await stage.run(10);
    const asked = stage.taps.onFrame("attach", () => undefined, ALWAYS);
    const late = await RawClient.open(cluster, key, "c");
    late.hello(link("late"), TOKENS[0], TOKENS[1]);
    await stage.run(1_800, { stepMs: 20 });
    expect(asked.times).toBeGreaterThan(1);
    gate.open();
    await cluster.until(slow);
    await stage.run(50);
    expect(late.received.filter(({ t }) => t === "welcome")).toHaveLength(1);
    expect(await stage.settle()).toEqual([]);
  });

  it("a turn that throws at any step of a move changes nothing, and its caller is told", async () => {
    const stage = await Stage.open({ seed: 144, definitions: [nastySession(new Gate())] });
    const ann = slowTalker(stage);
    const failures: Promise<string>[] = [];
    stage.taps.onFrame(
      ({ message }) => (STEPS as readonly PeerMessage["t"][]).includes(message.t),
      () => {
        failures.push(ann.fail({ who: "bad", n: 1 }).then(String, (error: { code: string }) => error.code));
        return undefined;
      },
      ALWAYS,
    );
    const move = stage.move("a", stage.target);
    await stage.until("it has moved", () => move.end !== undefined, 2_000, true);
    const codes = await stage.cluster.until(Promise.all(failures));
    expect(codes.length).toBeGreaterThan(4);
    expect(new Set(codes)).toEqual(new Set(["E_HANDLER_FAILED"]));
    const { fired, seen } = await stage.cluster.until(ann.read());
    expect(seen.bad).toBeUndefined();
    expect(fired).toEqual([]);
    expect(await stage.settle()).toEqual([]);
  });
});

type NastyCalls = Record<"slow" | "background" | "fail" | "alarm", (said: { who: string; n: number }) => Promise<unknown>> & {
  read(): Promise<{ seen: Record<string, number[]>; fired: string[] }>;
};

/** The first talker's actions beyond those of `counter`. */
function slowTalker(stage: Stage): NastyCalls {
  return (stage.talkers[0] as Talker).client.call as unknown as NastyCalls;
}
