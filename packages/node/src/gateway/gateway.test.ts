import { get } from "node:http";
import { connect } from "node:net";
import { encodePayload, SojournError } from "@sojourn/core";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { frameBytes, gatewayHarness, hello, input, RawClient } from "../../test-support/gateway-harness.js";

type Harness = Awaited<ReturnType<typeof gatewayHarness>>;
const running: Harness[] = [];
const start = async (...options: Parameters<typeof gatewayHarness>): Promise<Harness> => {
  const harness = await gatewayHarness(...options);
  running.push(harness);
  return harness;
};
afterEach(async () => {
  for (const harness of running.splice(0)) await harness.stop();
});

const fatal = (code: string) => expect.objectContaining({ t: "problem", fatal: true, code });

test("a hello opens a route, and frames pass both ways", async () => {
  const harness = await start();
  const { router } = harness;
  router.onInput = ({ socket }, { seq }) => {
    socket.send(frameBytes({ t: "output", epoch: 1, seq, ack: seq, kind: "reply", answers: seq, name: "", payload: encodePayload(seq) }));
  };
  const client = await harness.join({ auth: "me" });
  client.send(input(1));
  client.send({ t: "ack", seq: 1, gap: false });
  client.send(input(2));
  expect(await client.frame(2)).toMatchObject({ t: "output", answers: 2 });
  expect(router.routes[0]).toMatchObject({ user: null, hello: { auth: "me" }, log: ["input 1", "ack 1", "input 2"] });
});

test("a byte field of an input is a view that stays valid", async () => {
  const harness = await start();
  const kept: Uint8Array[] = [];
  harness.router.onInput = (_, { payload }) => kept.push(payload);
  const client = await harness.join();
  for (let i = 1; i <= 50; i++) client.send(input(i, new Uint8Array(100).fill(i)));
  await harness.router.until(() => kept.length === 50);
  expect(kept.map((payload) => new Set(payload))).toEqual(kept.map((_, i) => new Set([i + 1])));
});

test.each<[string, string, (client: RawClient) => void]>([
  ["garbage", "E_FRAME_MALFORMED", (client) => client.ws.send(Buffer.from([0xff, 1, 2, 3]))],
  ["an empty message", "E_FRAME_MALFORMED", (client) => client.ws.send(Buffer.alloc(0))],
  ["a frame cut short", "E_FRAME_MALFORMED", (client) => client.ws.send(frameBytes(input(1)).subarray(0, 6))],
  ["a frame with more behind it", "E_FRAME_MALFORMED", (client) => client.ws.send(Buffer.concat([frameBytes(input(1)), Buffer.of(0)]))],
  ["a text message, even if its bytes are a frame", "E_FRAME_MALFORMED", (client) => client.ws.send("\u0004\u0007")],
  ["a frame of nodes", "E_FRAME_MALFORMED", (client) => client.send({ t: "acked", epoch: 1, seq: 1 })],
  ["an oversize message", "E_FRAME_TOO_LARGE", (client) => client.send(input(1, new Uint8Array(70_000)))],
  ["a violation of WebSocket framing", "E_FRAME_MALFORMED", (client) => socketOf(client).write(Buffer.from([0xf3, 0x80, 0, 0, 0, 0]))],
  ["another protocol version", "E_PROTOCOL_VERSION", (client) => client.send(hello({ protocol: 2 }))],
  ["a malformed session key", "E_SESSION_KEY_INVALID", (client) => client.send(hello({ session: "nonsense" }))],
  ["a link id that can be guessed", "E_FRAME_MALFORMED", (client) => client.send(hello({ link: "short" }))],
  ["an endless token", "E_FRAME_MALFORMED", (client) => client.send(hello({ token: "x".repeat(129) }))],
])("%s ends that client with %s, and nobody else", async (_, code, offend) => {
  const harness = await start({ bounds: { maxClientFrameBytes: 65_536 } });
  const bystander = await harness.join({ link: "bystander-0123456" });
  const client = await harness.join();
  offend(client);
  expect(await client.frame(1)).toEqual(fatal(code));
  await client.closed;
  expect(harness.problems).toEqual([code]);
  expect(harness.router.routes[1]?.log).toEqual(["detach"]);
  bystander.send(input(1));
  await harness.router.until(() => harness.router.routes[0]?.log.includes("input 1") === true);
  expect(harness.gateway.connections).toBe(1);
});

test("a message before the welcome is refused, a ping is answered", async () => {
  const harness = await start();
  const client = await harness.dial();
  client.send({ t: "ping", nonce: 7 });
  expect(await client.frame(0)).toEqual({ t: "pong", nonce: 7 });
  client.send(input(1));
  expect(await client.frame(1)).toEqual(fatal("E_FRAME_MALFORMED"));
});

test("a socket that says no hello is closed", async () => {
  const harness = await start({ bounds: { helloTimeoutMs: 2_000 } });
  const client = await harness.dial();
  harness.clock.advance(1_900);
  expect(harness.problems).toEqual([]);
  harness.clock.advance(700);
  expect(await client.frame(0)).toEqual(fatal("E_HELLO_TIMEOUT"));
  await client.closed;
});

test("a second hello on the same socket leaves the first route and opens another", async () => {
  const harness = await start();
  const client = await harness.join();
  client.send(hello({ session: "room/2" }));
  await client.frame(1);
  client.send(input(1));
  await harness.router.until(() => harness.router.routes[1]?.log.length === 1);
  expect(harness.router.routes.map(({ hello, log }) => [hello.session, log])).toEqual([
    ["room/1", ["detach"]],
    ["room/2", ["input 1"]],
  ]);
});

test("bye leaves for good, a vanished socket only detaches", async () => {
  const harness = await start();
  const leaving = await harness.join();
  const vanishing = await harness.join();
  leaving.send({ t: "bye" });
  expect(await leaving.closed).toBe(1000);
  vanishing.ws.terminate();
  await harness.router.until(() => harness.router.routes[1]?.log.length === 1);
  expect(harness.router.routes.map(({ log }) => log)).toEqual([["leave"], ["detach"]]);
});

test("a released socket stays as a spare, ignores what was under way, and may say hello again", async () => {
  const harness = await start({ bounds: { spareSocketMs: 5_000 } });
  const client = await harness.join();
  harness.router.routes[0]?.socket.release();
  expect(await client.frame(1)).toMatchObject({ t: "problem", fatal: false, code: "E_LINK_REPLACED" });
  client.send(input(1));
  client.send({ t: "ack", seq: 1, gap: false });
  client.send(hello());
  expect(await client.frame(2)).toMatchObject({ t: "welcome" });
  expect(harness.router.routes.map(({ log }) => log)).toEqual([[], []]);
  harness.router.routes[1]?.socket.release();
  await client.frame(3);
  harness.clock.advance(6_500);
  expect(await client.closed).toBe(1000);
  expect(harness.problems).toEqual([]);
});

test("a silent client is probed and then dropped; one that answers stays", async () => {
  const harness = await start({ bounds: { clientHeartbeatMs: 4_000 } });
  const silent = await harness.join({ link: "silent-0123456789" });
  const alive = await harness.join({ link: "alive-01234567890" });
  harness.clock.advance(5_500);
  expect([await silent.frame(1), await alive.frame(1)]).toEqual([
    { t: "ping", nonce: 0 },
    { t: "ping", nonce: 0 },
  ]);
  alive.send({ t: "pong", nonce: 0 });
  alive.send(input(1));
  await harness.router.until(() => harness.router.routes[1]?.log.length === 1);
  harness.clock.advance(5_000);
  await silent.closed;
  expect(await alive.frame(2)).toEqual({ t: "ping", nonce: 0 });
  expect(harness.router.routes.map(({ log }) => log)).toEqual([["detach"], ["input 1"]]);
  expect(harness.gateway.connections).toBe(1);
});

test("a client that does not read is ended when its backlog passes the bound", async () => {
  const harness = await start({ bounds: { maxSocketBacklogBytes: 1_048_576 } });
  const slow = await harness.join();
  slow.ws.pause();
  socketOf(slow).pause();
  const route = harness.router.routes[0];
  const block = frameBytes({
    t: "output",
    epoch: 1,
    seq: 1,
    ack: 0,
    kind: "event",
    answers: 0,
    name: "e",
    payload: new Uint8Array(60_000),
  });
  // The kernel's buffers take some megabytes before the backlog grows; the route is told when it is over.
  for (let i = 0; i < 2_000 && route?.log.length === 0; i++) {
    route?.socket.send(block);
    if (i % 10 === 0) await harness.clock.settle();
  }
  expect(route?.log).toEqual(["detach"]);
  expect(harness.problems).toEqual(["E_QUEUE_FULL"]);
  route?.socket.send(block);
});

test("who passes authenticate is known to the router", async () => {
  const harness = await start({ authenticate: (auth, session) => ({ auth, session }) });
  await harness.join({ auth: "me" });
  expect(harness.router.routes[0]?.user).toEqual({ auth: "me", session: "room/1" });
});

test.each<[string, () => unknown, string]>([
  ["throws", () => thrown(new Error("secret of the database")), "The node's authenticate function refused the client."],
  ["rejects", () => Promise.reject(new Error("secret")), "The node's authenticate function refused the client."],
  ["throws an error for clients", () => thrown(new SojournError("E_AUTH_REFUSED", "token expired")), "token expired"],
])("an authenticate that %s refuses the client without telling more than it should", async (_, authenticate, message) => {
  const harness = await start({ authenticate });
  const client = await harness.dial();
  client.send(hello());
  expect(await client.frame(0)).toEqual({ t: "problem", code: "E_AUTH_REFUSED", message, fatal: true, retryAfterMs: 0 });
  await client.closed;
  expect(harness.router.routes).toEqual([]);
});

test("nothing is handled while authenticate is undecided, except pings", async () => {
  const asked = deferred<void>();
  const answer = deferred<unknown>();
  const authenticate = (auth: string | null) => {
    asked.resolve();
    return auth === "quick" ? null : answer.promise;
  };
  const harness = await start({ authenticate });
  const patient = await harness.dial();
  const hasty = await harness.dial();
  const twice = await harness.dial();
  for (const client of [patient, hasty, twice]) client.send(hello());
  await asked.promise;
  patient.send({ t: "ping", nonce: 1 });
  expect(await patient.frame(0)).toEqual({ t: "pong", nonce: 1 });
  hasty.send(input(1));
  expect(await hasty.frame(0)).toEqual(fatal("E_FRAME_MALFORMED"));
  twice.send(hello());
  expect(await twice.frame(0)).toEqual(fatal("E_FRAME_MALFORMED"));
  await Promise.all([hasty.closed, twice.closed]);
  expect(harness.router.routes).toEqual([]);
  answer.resolve("user");
  expect(await patient.frame(1)).toMatchObject({ t: "welcome" });
  expect(harness.router.routes.map(({ user }) => user)).toEqual(["user"]);
});

test("an authenticate that never answers ends with a named problem", async () => {
  const asked = deferred<void>();
  const harness = await start({
    bounds: { helloTimeoutMs: 1_000 },
    authenticate: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const client = await harness.dial();
  client.send(hello());
  await asked.promise;
  harness.clock.advance(1_600);
  expect(await client.frame(0)).toEqual(expect.objectContaining({ code: "E_SESSION_BUSY", fatal: true, retryAfterMs: 1_000 }));
});

test("a router that refuses inside open gets no frames on that route", async () => {
  const harness = await start();
  harness.router.onOpen = ({ socket }) => socket.fail("E_KIND_UNKNOWN", "no such kind", 0);
  const client = await harness.dial();
  client.send(hello());
  client.send(input(1));
  expect(await client.frame(0)).toEqual(fatal("E_KIND_UNKNOWN"));
  await client.closed;
  expect(harness.router.routes[0]?.log).toEqual(["detach"]);
});

test("a router that fails a routed socket later is not told again", async () => {
  const harness = await start();
  const client = await harness.join();
  harness.router.routes[0]?.socket.fail("E_SESSION_ENDED", "over", 0);
  expect(await client.frame(1)).toEqual(fatal("E_SESSION_ENDED"));
  expect(await client.closed).toBe(1008);
  expect(harness.router.routes[0]?.log).toEqual([]);
});

test("a defect in the router costs that client only", async () => {
  const harness = await start();
  harness.router.onInput = () => thrown(new TypeError("a bug"));
  const client = await harness.join();
  client.send(input(1));
  expect(await client.frame(1)).toEqual(fatal("E_INTERNAL"));
  expect((await harness.join()).frames).toHaveLength(1);
});

test("connections past the limit are refused by name, and there is room again when one has left", async () => {
  const harness = await start({ bounds: { maxClientConnections: 1 } });
  const first = await harness.join();
  const refused = new WebSocket(`ws://127.0.0.1:${harness.gateway.port}`);
  const [status, body] = await new Promise<[number | undefined, string]>((resolve) => {
    refused.on("unexpected-response", (_, response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve([response.statusCode, text]));
    });
  });
  expect([status, body]).toEqual([503, "E_QUEUE_FULL"]);
  first.send({ t: "bye" });
  await first.closed;
  await harness.join();
});

test("plain HTTP: health, and a hint for everything else", async () => {
  const harness = await start();
  const fetchStatus = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      get({ port: harness.gateway.port, host: "127.0.0.1", path, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
  expect([await fetchStatus("/healthz"), await fetchStatus("/"), await fetchStatus("/x")]).toEqual([200, 426, 426]);
  const wrongPath = new RawClient(harness.gateway.port, "/other");
  await expect(wrongPath.opened).rejects.toThrow("404");
});

test("bytes that are no HTTP harm nothing", async () => {
  const harness = await start();
  const socket = connect(harness.gateway.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.end(Buffer.from([0, 1, 2, 3, 255, 10, 13, 10, 13, 10]));
  socket.resume();
  await new Promise((resolve) => socket.on("close", resolve));
  expect((await harness.join()).frames).toHaveLength(1);
});

test("a closing gateway sends its clients away one after the other and takes no new ones", async () => {
  const harness = await start();
  const clients = [await harness.join(), await harness.join()];
  const closing = harness.gateway.close({ spreadMs: 1_000, retryAfterMs: 70 });
  harness.clock.advance(100);
  expect(await clients[0]?.frame(1)).toMatchObject({ code: "E_NODE_STOPPING", fatal: true, retryAfterMs: 70 });
  expect(await clients[0]?.closed).toBe(1012);
  expect(clients[1]?.frames).toHaveLength(1);
  harness.clock.advance(1_000);
  expect(await clients[1]?.closed).toBe(1012);
  await closing;
  expect(harness.router.routes.map(({ log }) => log)).toEqual([["detach"], ["detach"]]);
  await expect(new RawClient(harness.gateway.port).opened).rejects.toThrow();
});

test("an address that is taken is refused by name", async () => {
  const harness = await start();
  const again = gatewayHarness({ listen: { host: "127.0.0.1", port: harness.gateway.port } });
  await expect(again).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
});

/** The TCP socket below a client's WebSocket. */
function socketOf(client: RawClient) {
  return (client.ws as unknown as { _socket: import("node:net").Socket })._socket;
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function thrown(error: Error): never {
  throw error;
}
