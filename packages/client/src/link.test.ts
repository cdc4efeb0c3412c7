import { ByteWriter, type ClientFrameOf, encodeClientFrame, encodePayload, type SojournError } from "@sojourn/core";
import { expect, test } from "vitest";
import type { FakeCluster, FakeSocket } from "../test-support/fake-cluster.js";
import { setup } from "../test-support/setup.js";

const at = (cluster: FakeCluster, index: number) => cluster.sockets[index] as FakeSocket;
const sent = <T extends string>(socket: FakeSocket, t: T) => socket.sent.filter((frame) => frame.t === t) as ClientFrameOf<T & "hello">[];
const code = (promise: Promise<unknown> | undefined) => promise?.then(String, (error: SojournError) => error.code);
/** A live client on the owner's node. */
const live = (...options: Parameters<typeof setup>) => {
  const world = setup(...options);
  world.clock.advance(50);
  expect(world.client.status).toBe("live");
  return world;
};

test("connects, calls, hears events, leaves", async () => {
  const { clock, cluster, client, log } = live();
  const heard: unknown[] = [];
  client.on("tick", (value) => heard.push(value));
  const answer = client.call.add?.({ x: 1 });
  cluster.broadcast("tick", 7);
  clock.advance(100);
  expect(await answer).toEqual({ x: 1 });
  expect(heard).toEqual([7]);
  expect(client).toMatchObject({ owner: "a", epoch: 1, recovered: true, endpoint: "ws://a" });
  client.close();
  clock.advance(500);
  expect(cluster.left).toHaveLength(1);
  expect([clock.pending, cluster.live.length]).toEqual([0, 0]);
  expect(log).toEqual(["live", "closed", "close null"]);
  expect(await code(client.call.add?.(1))).toBe("E_CLIENT_CLOSED");
});

test("detach goes away without leaving", () => {
  const { clock, cluster, client } = live();
  client.detach();
  clock.advance(100);
  expect([cluster.left.length, cluster.links.size, clock.pending]).toEqual([0, 1, 0]);
});

test("a hello whose welcome got lost is said again with the same tokens; the next one proves itself with the new token", () => {
  const { clock, cluster } = setup({ endpoints: ["ws://a"], limits: { attemptTimeoutMs: 100 } });
  cluster.weather.lose = 0;
  clock.advance(12);
  cluster.weather.lose = 1;
  clock.advance(200);
  cluster.weather.lose = 0;
  clock.advance(1_000);
  at(cluster, cluster.sockets.length - 1).die();
  clock.advance(1_000);
  const hellos = cluster.sockets.flatMap((socket) => sent(socket, "hello"));
  const pairs = hellos.map(({ token, nextToken }) => `${token} ${nextToken}`);
  expect(new Set(pairs).size).toBe(2);
  expect(hellos.at(-1)?.token).toBe(hellos[0]?.nextToken);
  expect(new Set(hellos.map(({ link }) => link)).size).toBe(1);
  expect(hellos.map(({ epoch }) => epoch)).toEqual([...hellos.slice(1).map(() => 0), 1]);
});

test("a move: joins the new node before it leaves the old socket, and returns to it without opening one", async () => {
  const { clock, cluster, client, log } = live();
  cluster.move("ws://b", 100);
  clock.advance(90);
  expect(client.endpoint).toBe("ws://a");
  clock.advance(20);
  // The new socket is being opened; the old one works on.
  const answer = client.call.add?.(1);
  expect(sent(at(cluster, 0), "input")).toHaveLength(1);
  clock.advance(50);
  expect(client.endpoint).toBe("ws://b");
  expect(client.stats()).toMatchObject({ sockets: 2, spareSockets: 1, handovers: 1 });
  expect(await answer).toBe(1);
  cluster.move("ws://a");
  clock.advance(50);
  expect(client.endpoint).toBe("ws://a");
  expect(client.stats()).toMatchObject({ sockets: 2, spareSockets: 1, handovers: 2 });
  expect(sent(at(cluster, 0), "hello")).toHaveLength(2);
  expect(log).toEqual(["live", "handover a-b", "handover b-a"]);
});

test("a spare is kept for spareSocketMs and no longer, and no more than maxSpareSockets of them", () => {
  const { clock, cluster, client } = live({
    endpoints: ["ws://a", "ws://b", "ws://c"],
    limits: { spareSocketMs: 5_000, maxSpareSockets: 1 },
  });
  cluster.move("ws://b");
  clock.advance(50);
  cluster.move("ws://c");
  clock.advance(50);
  expect(client.stats()).toMatchObject({ spareSockets: 1 });
  expect(cluster.live.map(({ endpoint }) => endpoint)).toEqual(["ws://b", "ws://c"]);
  clock.advance(5_000);
  expect(client.stats()).toMatchObject({ spareSockets: 0 });
  expect(cluster.live.map(({ endpoint }) => endpoint)).toEqual(["ws://c"]);
});

test("a newer move replaces a switch that waits or is being opened", () => {
  const { clock, cluster, client } = live();
  cluster.move("ws://b", 100);
  clock.advance(50);
  cluster.move("ws://c", 100);
  clock.advance(70);
  expect(cluster.sockets).toHaveLength(1);
  clock.advance(32);
  cluster.move("ws://a");
  clock.advance(4);
  // The socket to c is being opened, and is no longer wanted a moment later.
  expect(at(cluster, 1).endpoint).toBe("ws://c");
  clock.advance(2_000);
  expect(sent(at(cluster, 1), "hello")).toEqual([]);
  expect([client.endpoint, client.stats().sockets, cluster.live.length]).toEqual(["ws://a", 2, 1]);
});

test("a move that is told while a hello is under way is followed as soon as that is answered", () => {
  const { clock, cluster, client } = live();
  cluster.move("ws://b");
  clock.advance(11);
  expect(sent(at(cluster, 1), "hello")).toHaveLength(1);
  cluster.move("ws://c");
  clock.advance(40);
  expect([client.endpoint, client.stats().sockets]).toEqual(["ws://c", 3]);
  // The hello at b was awaited, not given up: the session is never attached to a socket that nobody reads.
  expect(client.stats().spareSockets).toBe(2);
});

test("the same move told twice is one handover", () => {
  const { clock, cluster, log } = live();
  cluster.weather.twice = 1;
  cluster.move("ws://b", 10);
  clock.advance(100);
  expect(log.filter((line) => line.startsWith("handover"))).toHaveLength(1);
});

test("an endpoint that cannot be reached leaves the client on the relay, tried again ever more rarely and not for ever", async () => {
  const { clock, cluster, client, log } = live({ limits: { maxSwitchAttempts: 3 } });
  cluster.unreachable.add("ws://b");
  cluster.move("ws://b");
  clock.advance(300_000);
  expect(cluster.sockets.map(({ endpoint }) => endpoint)).toEqual(
    ["ws://a", "ws://b", "ws://b", "ws://b", "ws://b"].slice(0, cluster.sockets.length),
  );
  expect(cluster.sockets.length).toBeGreaterThan(2);
  expect(cluster.sockets.length).toBeLessThan(6);
  const answer = client.call.add?.(1);
  clock.advance(50);
  expect(await answer).toBe(1);
  expect(log).toEqual(["live", "handover a-b"]);
  cluster.unreachable.clear();
  cluster.move("ws://c");
  clock.advance(50);
  expect(client.endpoint).toBe("ws://c");
});

test("a switch that dies after its hello says hello on the old socket again, since the session may have left it", async () => {
  const { clock, cluster, client, log } = live({ limits: { attemptTimeoutMs: 200 } });
  cluster.move("ws://b");
  clock.advance(16);
  expect(sent(at(cluster, 1), "hello")).toHaveLength(1);
  cluster.silent.add("ws://b");
  clock.advance(6);
  const answer = client.call.add?.(1);
  clock.advance(400);
  expect(await answer).toBe(1);
  expect(sent(at(cluster, 0), "hello")).toHaveLength(2);
  expect(client.endpoint).toBe("ws://a");
  expect(log.filter((line) => line.startsWith("reset"))).toEqual([]);
});

test("the old socket may die while the new one is awaited", () => {
  const { clock, cluster, client } = live();
  cluster.move("ws://b");
  clock.advance(6);
  at(cluster, 0).die();
  clock.advance(50);
  expect([client.status, client.endpoint, client.stats().sockets]).toEqual(["live", "ws://b", 2]);
});

test("a client that landed on another node than the owner's goes there by itself", () => {
  const { clock, cluster, client, log } = setup({ endpoints: ["ws://a", "ws://b"] });
  cluster.owner = "ws://b";
  clock.advance(20);
  expect(client.endpoint).toBe("ws://a");
  clock.advance(1_100);
  expect(client.endpoint).toBe("ws://b");
  expect(log).toEqual(["live"]);
});

test("frames of an older epoch are refused", () => {
  const { clock, cluster, client, log } = live();
  const heard: unknown[] = [];
  client.on("tick", (value) => heard.push(value));
  const output = (epoch: number, seq: number): Uint8Array =>
    encodeClientFrame(new ByteWriter(), {
      t: "output",
      epoch,
      seq,
      ack: 0,
      kind: "event",
      answers: 0,
      name: "tick",
      payload: encodePayload(epoch),
    });
  cluster.move("ws://b", 60_000);
  clock.advance(10);
  at(cluster, 0).deliverRaw(output(1, 1));
  expect(heard).toEqual([]);
  at(cluster, 0).deliverRaw(output(2, 1));
  expect(heard).toEqual([2]);
  at(cluster, 0).deliverRaw(
    encodeClientFrame(new ByteWriter(), { t: "moved", epoch: 1, from: "x", to: "y", endpoint: "ws://y", blackoutMs: 0, switchAfterMs: 0 }),
  );
  expect([client.owner, log.length]).toEqual(["b", 2]);
});

test("what was lost with the owner is sent again at once when the socket leads to the node that takes over", () => {
  const { clock, cluster, client } = live({ endpoints: ["ws://a"] });
  client.call.add?.(1).catch(() => undefined); // it goes away without an answer
  const inputs = () => sent(at(cluster, 0), "input").length;
  const moved = (epoch: number, endpoint: string, blackoutMs: number) =>
    at(cluster, 0).deliverRaw(
      encodeClientFrame(new ByteWriter(), { t: "moved", epoch, from: "x", to: "a", endpoint, blackoutMs, switchAfterMs: 60_000 }),
    );
  expect(inputs()).toBe(1);
  moved(2, "ws://a", 1.5); // a planned move loses nothing
  moved(3, "ws://y", 0); // the client goes there, and says it there
  expect(inputs()).toBe(1);
  moved(4, "ws://a", 0);
  expect(inputs()).toBe(2);
  client.detach();
  clock.advance(10);
});

test("a welcome of an older epoch is no welcome", () => {
  const { clock, cluster, client } = live({ endpoints: ["ws://a"] });
  cluster.epoch = 5;
  cluster.broadcast("tick", 1);
  clock.advance(10);
  cluster.epoch = 4;
  at(cluster, 0).die();
  clock.advance(2_000);
  expect(client.status).toBe("reconnecting");
  cluster.epoch = 6;
  clock.advance(10_000);
  expect([client.status, client.epoch]).toEqual(["live", 6]);
});

test("a link that the session does not continue is reset: calls under way fail by name, the numbers start anew", async () => {
  const { clock, cluster, client, log } = live();
  const heard: unknown[] = [];
  client.on("tick", (value) => heard.push(value));
  cluster.broadcast("tick", 1);
  await client.call.add?.(0).constructor;
  clock.advance(50);
  cluster.relayDead = true;
  const lost = client.call.add?.(1);
  clock.advance(10);
  cluster.forget();
  cluster.relayDead = false;
  at(cluster, 0).die();
  clock.advance(1_000);
  expect(await code(lost)).toBe("E_LINK_EXPIRED");
  expect(client.recovered).toBe(false);
  const answer = client.call.add?.(2);
  cluster.broadcast("tick", 2);
  clock.advance(50);
  expect(await answer).toBe(2);
  expect(heard).toEqual([1, 2]);
  expect(log).toEqual(["live", "reconnecting", "live", "reset E_LINK_EXPIRED"]);
  at(cluster, 1).die();
  clock.advance(1_000);
  expect(client.recovered).toBe(true);
});

test("a link whose token is refused is replaced by a new one, once", async () => {
  const { clock, cluster, client, log } = live();
  const lost = client.call.mute?.(1);
  clock.advance(50);
  for (const link of cluster.links.values()) {
    link.token = "somebody else's";
    link.pair = "";
  }
  at(cluster, 0).die();
  clock.advance(2_000);
  expect(await code(lost)).toBe("E_LINK_TOKEN");
  expect(log).toEqual(["live", "reconnecting", "reset E_LINK_TOKEN", "live"]);
  expect(cluster.links.size).toBe(2);
  expect(client.status).toBe("live");
});

test("a link that ends while its new socket is awaited takes that socket's hello with it", async () => {
  const { clock, cluster, client, log } = live();
  const answer = client.call.add?.(1);
  clock.advance(50);
  expect(await answer).toBe(1);
  cluster.move("ws://b");
  clock.advance(11);
  expect(sent(at(cluster, 1), "hello")).toHaveLength(1);
  at(cluster, 0).deliver({ t: "problem", code: "E_LINK_UNKNOWN", message: "", fatal: true, retryAfterMs: 1 });
  clock.advance(1_000);
  expect(log).toEqual(["live", "handover a-b", "reset E_LINK_UNKNOWN", "reconnecting", "live"]);
  expect(new Set(cluster.sockets.flatMap((socket) => sent(socket, "hello").map(({ link }) => link))).size).toBe(2);
});

test("a link that takes the place of another does not speak where late words for that one may come", () => {
  const unknown = { t: "problem", code: "E_LINK_UNKNOWN", message: "", fatal: true, retryAfterMs: 1 } as const;
  const switching = live();
  switching.cluster.move("ws://b");
  for (const link of switching.cluster.links.values()) link.token = "somebody else's";
  switching.clock.advance(18);
  at(switching.cluster, 0).deliver(unknown);
  switching.clock.advance(1_000);
  expect(switching.log).toEqual(["live", "handover a-b", "reset E_LINK_TOKEN", "reconnecting", "live"]);

  const withSpare = live({ endpoints: ["ws://a", "ws://b"] });
  withSpare.cluster.move("ws://b");
  withSpare.clock.advance(50);
  withSpare.cluster.links.clear();
  at(withSpare.cluster, 1).deliver(unknown);
  withSpare.clock.advance(6);
  expect(withSpare.client.stats()).toMatchObject({ spareSockets: 0 });
  withSpare.clock.advance(1_000);
  expect(withSpare.log).toEqual(["live", "handover a-b", "reset E_LINK_UNKNOWN", "reconnecting", "live"]);

  for (const { cluster } of [switching, withSpare]) {
    for (const socket of cluster.sockets) expect(new Set(sent(socket, "hello").map(({ link }) => link)).size).toBeLessThan(2);
  }
});

test("a spare on which a token is awaited when its link ends is not spoken on", async () => {
  let fetched = (_token: string): void => {};
  const auth = () => new Promise<string>((resolve) => (fetched = resolve));
  const { clock, cluster, client, log } = setup({ endpoints: ["ws://a", "ws://b"], auth });
  const microtasks = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await Promise.resolve();
  };
  const settle = async (): Promise<void> => {
    await microtasks();
    clock.advance(50);
    await microtasks();
  };
  const letIn = async (): Promise<void> => {
    await settle();
    fetched("secret");
    await settle();
  };
  await letIn();
  cluster.move("ws://b");
  await letIn();
  cluster.move("ws://a");
  await settle();
  expect(client.endpoint).toBe("ws://b");
  expect(cluster.sockets).toHaveLength(2);
  at(cluster, 1).deliver({ t: "problem", code: "E_LINK_UNKNOWN", message: "", fatal: true, retryAfterMs: 1 });
  for (let i = 0; i < 20; i++) await letIn();
  expect(log.slice(-3)).toEqual(["reset E_LINK_UNKNOWN", "reconnecting", "live"]);
  for (const socket of cluster.sockets) expect(new Set(sent(socket, "hello").map(({ link }) => link)).size).toBeLessThan(2);
});

test("a welcome that leaves a gap is not believed", () => {
  const { clock, cluster, client, log } = live({ endpoints: ["ws://a"] });
  cluster.broadcast("tick", 1);
  clock.advance(100);
  for (const link of cluster.links.values()) link.lastIn = 9;
  at(cluster, 0).die();
  clock.advance(2_000);
  expect(log).toEqual(["live", "reconnecting", "reset E_SEQUENCE_INVALID", "live"]);
  expect(client.recovered).toBe(true);
});

test("a refusal that retrying cannot help closes; others are tried again after the pause they name", () => {
  const final = live();
  final.cluster.refusal = { code: "E_AUTH_REFUSED", message: "token expired", fatal: true, retryAfterMs: 0 };
  at(final.cluster, 0).die();
  final.clock.advance(1_000);
  expect(final.log).toEqual(["live", "reconnecting", "closed", "close E_AUTH_REFUSED"]);
  expect(final.clock.pending).toBe(0);

  const passing = live();
  passing.cluster.refusal = { code: "E_SESSION_BUSY", message: "", fatal: true, retryAfterMs: 20_000 };
  at(passing.cluster, 0).die();
  passing.clock.advance(19_000);
  expect(passing.cluster.sockets).toHaveLength(2);
  passing.cluster.refusal = null;
  passing.clock.advance(3_000);
  expect(passing.client.status).toBe("live");
});

test("a node that keeps a hello until another node has taken over is waited for, as long as it says so", () => {
  const { clock, cluster, client, log } = live({ limits: { attemptTimeoutMs: 300 } });
  cluster.refusal = { code: "E_SESSION_BUSY", message: "the session's node was lost", fatal: false, retryAfterMs: 200 };
  at(cluster, 0).die();
  clock.advance(100);
  expect(sent(at(cluster, 1), "hello")).toHaveLength(1);
  const kept = { ...cluster.refusal };
  for (let i = 0; i < 10; i++) {
    clock.advance(400);
    at(cluster, 1).deliver({ t: "problem", ...kept });
  }
  expect([cluster.sockets.length, client.status]).toEqual([2, "reconnecting"]);
  expect(log).toEqual(["live", "reconnecting"]);
  // Silent again, it is left when its time is over.
  clock.advance(400);
  expect(cluster.sockets).toHaveLength(2);
  cluster.refusal = null;
  clock.advance(300);
  expect(cluster.sockets).toHaveLength(3);
  expect(client.status).toBe("live");
});

test("a node that says goodbye is left for another one", () => {
  const { clock, cluster, client } = live();
  at(cluster, 0).deliver({ t: "problem", code: "E_NODE_STOPPING", message: "", fatal: true, retryAfterMs: 10 });
  cluster.unreachable.add("ws://a");
  clock.advance(200);
  expect([client.status, client.endpoint, cluster.sockets.length]).toEqual(["live", "ws://b", 2]);
});

test("a silent node is probed, and left for another one after twice the heartbeat", () => {
  const { clock, cluster, client } = live();
  clock.advance(10_000);
  expect([client.status, client.stats().sockets]).toEqual(["live", 1]);
  cluster.silent.add("ws://a");
  clock.advance(900);
  expect(client.status).toBe("live");
  clock.advance(2_300);
  expect([client.status, client.endpoint]).toEqual(["live", "ws://b"]);
});

test("a path that is dead behind a live socket is noticed by what stays unacknowledged", async () => {
  const { clock, cluster, client } = live({ limits: { retransmitMs: 100, maxRetransmits: 2, callTimeoutMs: 60_000 } });
  cluster.relayDead = true;
  const answer = client.call.add?.(1);
  clock.advance(250);
  expect(sent(at(cluster, 0), "input").length).toBe(2);
  clock.advance(400);
  expect(sent(at(cluster, 0), "input").length).toBe(3);
  clock.advance(100);
  cluster.relayDead = false;
  clock.advance(7_000);
  expect(at(cluster, 1).endpoint).toBe("ws://b");
  expect(await answer).toBe(1);
});

test("an acknowledgement shows that the path lives: losses that are far apart do not add up", async () => {
  const { clock, cluster, client } = live({ limits: { retransmitMs: 100, maxRetransmits: 1 } });
  for (let i = 0; i < 5; i++) {
    cluster.relayDead = true;
    const answer = client.call.add?.(i);
    clock.advance(50);
    cluster.relayDead = false;
    clock.advance(200);
    expect(await answer).toBe(i);
  }
  expect(client.stats().sockets).toBe(1);
});

test("reconnects go round all endpoints, with pauses that grow to the limit", () => {
  const { clock, cluster, client } = live({ limits: { reconnectMaxMs: 1_000 } });
  for (const endpoint of ["ws://a", "ws://b", "ws://c"]) cluster.unreachable.add(endpoint);
  at(cluster, 0).die();
  clock.advance(60_000);
  const tried = cluster.sockets.slice(1).map(({ endpoint }) => endpoint);
  expect(new Set(tried.slice(0, 3))).toEqual(new Set(["ws://a", "ws://b", "ws://c"]));
  expect(tried.length).toBeGreaterThan(50);
  expect(tried.length).toBeLessThan(140);
  cluster.unreachable.delete("ws://c");
  clock.advance(5_000);
  expect(client.status).toBe("live");
});

test("a hello of ours that overtook the present socket is answered by another hello", () => {
  const { clock, cluster, client } = live();
  at(cluster, 0).deliver({ t: "problem", code: "E_LINK_REPLACED", message: "", fatal: false, retryAfterMs: 0 });
  clock.advance(50);
  expect(sent(at(cluster, 0), "hello")).toHaveLength(2);
  expect([client.status, client.stats().sockets]).toEqual(["live", 1]);
});

test.each([
  ["garbage", new Uint8Array([99, 1])],
  ["a text message", new Uint8Array()],
  ["a frame of clients", encodeClientFrame(new ByteWriter(), { t: "bye" })],
])("%s from a node costs the socket, not the link", (_, bytes) => {
  const { clock, cluster, client, log } = live();
  at(cluster, 0).deliverRaw(bytes);
  clock.advance(1_000);
  expect([client.status, client.stats().sockets]).toEqual(["live", 2]);
  expect(log).toEqual(["live", "reconnecting", "live"]);
});

test("a call settles once: by its failure with code and details, or by its timeout", async () => {
  const { clock, client } = live({ limits: { callTimeoutMs: 1_000 } });
  const refused = client.call.refuse?.(1);
  const muted = client.call.mute?.(2);
  clock.advance(900);
  const later = client.call.mute?.(3);
  clock.advance(200);
  await expect(refused).rejects.toMatchObject({ code: "E_INPUT_INVALID", message: "no", details: { value: 1 } });
  expect(await code(muted)).toBe("E_CALL_TIMEOUT");
  expect(client.stats().openCalls).toBe(1);
  clock.advance(1_000);
  expect(await code(later)).toBe("E_CALL_TIMEOUT");
});

test("calls past the bounds are refused and send nothing", async () => {
  const { client, cluster } = live({ limits: { maxUnackedInputs: 1, maxClientFrameBytes: 1_024 } });
  const before = at(cluster, 0).sent.length;
  expect(await code(client.call.add?.("x".repeat(1_024)))).toBe("E_FRAME_TOO_LARGE");
  expect(await code(client.call.add?.(() => 1))).toBe("E_UNTRAVELLABLE");
  client.call.add?.(1).catch(() => {});
  expect(await code(client.call.add?.(2))).toBe("E_QUEUE_FULL");
  expect(at(cluster, 0).sent.length).toBe(before + 1);
});

test("calls made while nothing is connected wait and are sent once it is", async () => {
  const { clock, cluster, client } = setup();
  const early = client.call.add?.(1);
  clock.advance(50);
  expect(await early).toBe(1);
  at(cluster, 0).die();
  clock.advance(1);
  const away = client.call.add?.(2);
  clock.advance(1_000);
  expect(await away).toBe(2);
});

test("acknowledgements are held back, batched, and carried by inputs", () => {
  const { clock, cluster, client } = live({ limits: { ackDelayMs: 50, ackEveryMessages: 10 } });
  const acks = () => sent(at(cluster, 0), "ack").length;
  cluster.broadcast("tick", 1);
  clock.advance(40);
  expect(acks()).toBe(0);
  clock.advance(20);
  expect(acks()).toBe(1);
  for (let i = 0; i < 25; i++) cluster.broadcast("tick", i);
  clock.advance(6);
  expect(acks()).toBe(3);
  clock.advance(100);
  expect(acks()).toBe(4);
  cluster.broadcast("tick", 1);
  clock.advance(6);
  client.call.mute?.(1).catch(() => {});
  clock.advance(200);
  expect(acks()).toBe(4);
  expect([...cluster.links.values()][0]?.outbox).toEqual([]);
  client.close();
});

test("a missing message is asked for once, and again after a while", () => {
  const { clock, cluster } = live({ limits: { gapRetryMs: 300 } });
  const gaps = () => (at(cluster, 0).sent as { t: string; gap?: boolean }[]).filter(({ gap }) => gap).length;
  cluster.weather.lose = 1;
  cluster.broadcast("tick", 1);
  cluster.weather.lose = 0;
  for (let i = 0; i < 5; i++) cluster.broadcast("tick", i);
  cluster.relayDead = true;
  clock.advance(200);
  expect(gaps()).toBe(1);
  clock.advance(150);
  expect(gaps()).toBe(2);
  cluster.relayDead = false;
  clock.advance(2_000);
  const settled = gaps();
  expect([...cluster.links.values()][0]?.outbox).toEqual([]);
  clock.advance(5_000);
  expect(gaps()).toBe(settled);
});

test("what cannot be read is told, and the link goes on", async () => {
  const { clock, cluster, client, log } = live();
  const deliver = (kind: "event" | "reply", seq: number, answers: number, name: string, payload: Uint8Array) =>
    at(cluster, 0).deliver({ t: "output", epoch: 1, seq, ack: answers, kind, answers, name, payload });
  cluster.relayDead = true;
  const call = client.call.add?.(1);
  deliver("reply", 1, 1, "", new Uint8Array([0xc1]));
  deliver("event", 2, 0, "tick", new Uint8Array([0xc1]));
  deliver("event", 3, 0, "close", encodePayload(1));
  clock.advance(50);
  expect(await code(call)).toBe("E_CODEC_CORRUPT");
  expect(log).toEqual(["live", "problem E_CODEC_CORRUPT", "problem E_DEFINITION_INVALID"]);
});

test("a token may be fetched anew for each connection; failing to is a failed attempt", async () => {
  let asked = 0;
  const { clock, cluster, client } = setup({
    auth: async () => {
      asked += 1;
      if (asked === 2) throw new Error("identity provider is down");
      return `token ${asked}`;
    },
  });
  await clock.run(50);
  at(cluster, 0).die();
  await clock.run(2_000);
  expect(client.status).toBe("live");
  expect(
    cluster.sockets
      .flatMap((socket) => sent(socket, "hello"))
      .map(({ auth }) => auth)
      .slice(0, 2),
  ).toEqual(["token 1", "token 3"]);
});
