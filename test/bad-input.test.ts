import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { type LocalCluster, type LocalNode, startLocalCluster } from "@sojourn/cli";
import { connect, type SessionClient } from "@sojourn/client/node";
import { ByteWriter, encodeClientFrame, type SessionDefinition } from "@sojourn/core";
import { createNode } from "@sojourn/node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Eye } from "./support/eye.js";
import { naughty } from "./support/naughty.js";
import { NodeEvents } from "./support/node-events.js";
import { complaint, pour, say } from "./support/raw.js";
import { Talker } from "./support/talker.js";

const module = fileURLToPath(new URL("./support/naughty.ts", import.meta.url));

const events = new NodeEvents();
let cluster: LocalCluster;
let eye: Eye;
let a: LocalNode;
let b: LocalNode;
/** Goes on through all of it. */
let talker: Talker;
let onLine: (node: string, line: string) => void = () => {};
const clients: { close(): void }[] = [];

beforeAll(async () => {
  cluster = await startLocalCluster({
    nodes: [{ id: "a" }, { id: "b" }],
    module,
    onEvent: events.listen,
    onLog: (node, line) => onLine(node, line),
  });
  eye = new Eye(cluster.directoryEndpoint);
  [a, b] = [cluster.node("a"), cluster.node("b")];
  talker = await Talker.start({ endpoints: [a.clientEndpoint], session: "ledger/steady" });
  await talker.more(20);
});
/** Whatever was done to the cluster: the others notice nothing. */
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  if (talker.finished) return;
  await talker.more(10);
  talker.expectNoTrouble();
});
afterAll(async () => {
  talker?.abandon();
  await eye?.close();
  await cluster?.stop();
});

const open = async (id: string, node: LocalNode = a): Promise<SessionClient<typeof naughty>> => {
  const client = await connect<typeof naughty>({ endpoints: [node.clientEndpoint], session: `naughty/${id}` });
  clients.push(client);
  return client;
};
const move = (id: string, to: string) => a.command({ command: "move", session: `naughty/${id}`, to });
const hello = (session: string) =>
  encodeClientFrame(new ByteWriter(), {
    t: "hello",
    protocol: 1,
    session,
    link: "0123456789abcdef0123",
    token: "t0",
    nextToken: "t1",
    epoch: 0,
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 0,
    generation: 0,
    auth: null,
  });

describe("a client that asks for what there is not", () => {
  test.each([
    ["nosuch/room", "E_KIND_UNKNOWN", "this node has: ledger, naughty"],
    ["constructor/x", "E_KIND_UNKNOWN", "no session kind"],
  ])("the kind of %s is %s", async (session, code, says) => {
    await expect(connect({ endpoints: [a.clientEndpoint], session })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });

  test.each(["", "naughty", "naughty/", "/x", "naughty/a b", "naughty/a#1", `naughty/${"x".repeat(300)}`])(
    "the session name %j is refused here and by the node",
    async (session) => {
      await expect(connect({ endpoints: [a.clientEndpoint], session })).rejects.toMatchObject({ code: "E_SESSION_KEY_INVALID" });
      expect(complaint(await say(a.clientEndpoint, hello(session)))).toMatchObject({ code: "E_SESSION_KEY_INVALID", fatal: true });
    },
  );

  test("an unknown action and an argument that its schema refuses fail alone", async () => {
    const client = await open("asked");
    const loose = client.call as unknown as Record<string, (argument?: unknown) => Promise<unknown>>;
    const [added, unknown, inherited, wrong, fraction, again] = await Promise.allSettled([
      client.call.add(1),
      loose.fly?.(),
      loose.toString?.(),
      loose.add?.("much"),
      client.call.add(0.5),
      client.call.add(1),
    ]);
    expect(added).toMatchObject({ value: 1 });
    expect(unknown).toMatchObject({ reason: { code: "E_ACTION_UNKNOWN", message: expect.stringContaining('"fly"') } });
    expect(inherited).toMatchObject({ reason: { code: "E_ACTION_UNKNOWN" } });
    expect(wrong).toMatchObject({ reason: { code: "E_INPUT_INVALID" } });
    expect(fraction).toMatchObject({ reason: { code: "E_INPUT_INVALID" } });
    expect(again).toMatchObject({ value: 2 });
  });

  test("an argument larger than a frame is refused before it is sent", async () => {
    const client = await open("large");
    const loose = client.call as unknown as Record<string, (argument?: unknown) => Promise<unknown>>;
    await expect(loose.add?.("x".repeat(300_000))).rejects.toMatchObject({ code: "E_FRAME_TOO_LARGE" });
    expect(await client.call.add(1)).toBe(1);
  });
});

describe("garbage on the port for clients", () => {
  const address = () => a.clientEndpoint.replace("ws://", "");
  const input = encodeClientFrame(new ByteWriter(), { t: "input", seq: 1, ack: 0, action: "add", payload: new Uint8Array() });
  const welcome = encodeClientFrame(new ByteWriter(), { t: "acked", epoch: 1, seq: 1 });

  test.each([
    ["no HTTP at all", "\x16\x03\x01garbage\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a web browser", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 426 /],
    [
      "another path",
      "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      /^HTTP\/1\.1 404 [\s\S]*E_CONFIG_INVALID$/,
    ],
    ["half a handshake", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", /^HTTP\/1\.1 400 /],
  ])("%s is answered in HTTP", async (_, bytes, answer) => {
    expect(await pour(address(), bytes)).toMatch(answer);
  });

  test.each([
    ["a text message", "hello?", "E_FRAME_MALFORMED"],
    ["nothing", new Uint8Array(), "E_FRAME_MALFORMED"],
    ["random bytes", Uint8Array.of(0xee, ...randomBytes(200)), "E_FRAME_MALFORMED"],
    ["a hello that is cut", hello("naughty/x").subarray(0, 20), "E_FRAME_MALFORMED"],
    ["a hello with something behind it", Uint8Array.of(...hello("naughty/x"), 0), "E_FRAME_MALFORMED"],
    ["an input before the hello", input, "E_FRAME_MALFORMED"],
    ["a frame of nodes", welcome, "E_FRAME_MALFORMED"],
    ["an oversize message", new Uint8Array(300_000), "E_FRAME_TOO_LARGE"],
  ])("%s is told its name and closed", async (_, message, code) => {
    const since = events.all.length;
    expect(complaint(await say(a.clientEndpoint, message))).toMatchObject({ code, fatal: true, retryAfterMs: 0 });
    await events.incident(code, since);
  });

  test.each([
    ["garbage", randomBytes(64), "E_FRAME_MALFORMED"],
    ["an oversize message", new Uint8Array(300_000), "E_FRAME_TOO_LARGE"],
  ])("%s on a link that stands ends its socket, and the session does not care", async (_, message, code) => {
    const client = await open("garbled");
    const before = await client.call.add(1);
    const frames = await say(a.clientEndpoint, hello("naughty/garbled"), message.length > 100 ? message : Uint8Array.of(0xee, ...message));
    expect(complaint(frames)).toMatchObject({ code, fatal: true });
    expect(await client.call.add(1)).toBe(before + 1);
  });

  test("a link to which somebody else comes without its token stays where it is", async () => {
    const first = new WebSocket(a.clientEndpoint);
    clients.push(first);
    const welcomed = new Promise((resolve) => first.once("message", resolve));
    first.once("open", () => first.send(hello("naughty/stolen")));
    await welcomed;
    const thief = encodeClientFrame(new ByteWriter(), {
      t: "hello",
      protocol: 1,
      session: "naughty/stolen",
      link: "0123456789abcdef0123",
      token: "guess",
      nextToken: "mine",
      epoch: 1,
      lastOut: 0,
      sent: 0,
      acked: 0,
      offsetEpoch: 0,
      generation: 0,
      auth: null,
    });
    expect(complaint(await say(b.clientEndpoint, thief))).toMatchObject({ code: "E_LINK_TOKEN", fatal: true });
    expect(first.readyState).toBe(WebSocket.OPEN);
  });
});

describe("garbage on the ports between nodes", () => {
  /** A frame of the control channel: u32 length, kind, payload. */
  const peerFrame = (kind: number, write: (w: ByteWriter) => void): Uint8Array => {
    const body = new ByteWriter();
    body.u8(kind);
    write(body);
    return framed(body.take());
  };
  const framed = (body: Uint8Array): Uint8Array => {
    const whole = new ByteWriter();
    whole.u32(body.length);
    whole.raw(body);
    return whole.take();
  };
  const helloTo = (to: string, magic = 0x4e52_4a53, protocol = 1) =>
    peerFrame(1, (w) => {
      w.u32(magic);
      w.uint(protocol);
      w.u8(0);
      w.uint(1);
      w.uint(0);
      w.str("stranger#1");
      w.str(to);
    });

  test.each([
    ["random bytes", () => Uint8Array.of(20, 0, 0, 0, ...randomBytes(20).fill(0xee, 0, 1)), "E_FRAME_MALFORMED"],
    ["a web browser", () => Buffer.from("GET / HTTP/1.1\r\n\r\n"), "E_FRAME_TOO_LARGE"],
    ["an oversize length", () => Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1), "E_FRAME_TOO_LARGE"],
    ["a wrong magic", () => helloTo("a#1", 0x0bad_cafe), "E_FRAME_MALFORMED"],
    ["another version", () => helloTo("a#1", undefined, 2), "E_PROTOCOL_VERSION"],
    ["a hello to another incarnation", () => helloTo("a#7"), "E_PEER_INCARNATION"],
    ["a hello to another node", () => helloTo("b#1"), "E_PEER_INCARNATION"],
  ])("the control port refuses %s", async (_, bytes, code) => {
    const { info } = await eye.node("a");
    const since = events.all.length;
    expect(await pour(info.controlEndpoint, bytes())).toContain(code);
    await events.incident(code, since);
  });

  test("the control port drops messages of a stranger that do not decode", async () => {
    const { info } = await eye.node("a");
    const since = events.all.length;
    const message = peerFrame(4, (w) => w.raw(randomBytes(40)));
    const cut = Uint8Array.of(9, 0, 0); // ends the connection with a frame that never comes whole
    const socket = pour(info.controlEndpoint, Buffer.concat([helloTo("a#1"), message, framed(Uint8Array.of(99)), cut]));
    await events.first((node, event) => node === "a" && event.type === "incident" && /^E_FRAME_/.test(event.code), since);
    await socket;
  });

  const asked = (frame: Uint8Array, crc = crc32(frame)): Uint8Array => {
    const body = new ByteWriter();
    body.u32(crc);
    body.raw(frame);
    return framed(body.take());
  };
  test.each([
    ["random bytes", () => asked(Uint8Array.of(0xee, ...randomBytes(30))), "E_FRAME_MALFORMED"],
    ["a web browser", () => Buffer.from("GET / HTTP/1.1\r\n\r\n"), "E_FRAME_TOO_LARGE"],
    ["a damaged frame", () => asked(Uint8Array.of(12, 0), 1), "E_FRAME_CHECKSUM"],
    ["a request before the hello", () => asked(Uint8Array.of(12, 0)), "E_FRAME_MALFORMED"],
    ["an empty frame", () => Uint8Array.of(0, 0, 0, 0), "E_FRAME_MALFORMED"],
  ])("the directory's port refuses %s", async (_, bytes, code) => {
    const since = events.all.length;
    expect(await pour(cluster.directoryEndpoint, bytes())).toContain(code);
    await events.incident(code, since);
  });
});

describe("a definition that does what it should not", () => {
  test.each(["function", "instance", "symbol"] as const)("state that cannot travel (%s) is refused with its path", async (what) => {
    const client = await open("kept");
    const before = await client.call.add(1);
    await expect(client.call.keep(what)).rejects.toMatchObject({
      code: "E_UNTRAVELLABLE",
      message: expect.stringContaining("deep.held"),
    });
    expect(await client.call.add(1)).toBe(before + 1);
  });

  test("a handler that throws is rolled back, at once or later", async () => {
    const client = await open("failing");
    expect(await client.call.add(1)).toBe(1);
    await expect(client.call.fail()).rejects.toMatchObject({ code: "E_HANDLER_FAILED" });
    await expect(client.call.failLater()).rejects.toMatchObject({ code: "E_HANDLER_FAILED" });
    expect(await client.call.add(1)).toBe(2);
  });

  const handlerError = (where: string, session: string) =>
    events.first((_, event) => event.type === "handlerError" && event.session === session && event.where.includes(where));

  test("onJoin that throws refuses the client by name", async () => {
    await expect(open("closed-door")).rejects.toMatchObject({
      code: "E_HANDLER_FAILED",
      message: expect.stringContaining("nobody gets in"),
    });
  });

  test("a timer that throws is told, and does not count", async () => {
    const client = await open("timed");
    await client.call.arm();
    expect(await handlerError("boom", "naughty/timed")).toMatchObject({ message: "the timer went off" });
    expect(await client.call.add(1)).toBe(1);
  });

  test("hooks of a move that throw are told, and do not hold it up", async () => {
    const client = await open("moved");
    await client.call.add(1);
    const handover = new Promise((resolve) => client.once("handover", resolve));
    expect(await move("moved", "b")).toMatchObject({ from: "a#1", to: "b#1" });
    expect(await handlerError("onBeforeMove", "naughty/moved")).toMatchObject({ message: "does not want to go" });
    expect(await handlerError("onAfterMove", "naughty/moved")).toMatchObject({ message: "did not want to come" });
    expect(await handover).toMatchObject({ from: "a", to: "b" });
    expect(await client.call.add(1)).toBe(2);
  });

  test("a handler that never ends is rolled back at the drain deadline and runs at the target", async () => {
    const stuckLine = new Promise<void>((resolve) => {
      onLine = (node, line) => node === "a" && line === "stuck" && resolve();
    });
    const client = await open("stuck");
    await client.call.add(1);
    const stuck = client.call.stuckAt(a.pid);
    const behind = client.call.add(1);
    await stuckLine;
    expect(await move("stuck", "b")).toMatchObject({ to: "b#1" });
    expect(await stuck).toEqual({ pid: b.pid, n: 2 });
    expect(await behind).toBe(3);
    expect(await client.call.add(1)).toBe(4);
  });

  test("a handler that blocks its process for a second costs no lease", async () => {
    const client = await open("blocking", b);
    expect(await client.call.block(1_000)).toBe(b.pid);
    expect(await client.call.add(1)).toBe(1);
    expect(await b.command({ command: "status" })).toMatchObject({ self: "b#1" });
    expect(events.all.filter(({ event }) => event.type === "lost")).toEqual([]);
  });
});

describe("an operator who asks for what cannot be", () => {
  test.each([
    ["to a node that there is not", "naughty/asked", "c", "E_NODE_UNKNOWN", "a, b"],
    ["of a session that there is not", "naughty/never", "b", "E_SESSION_UNKNOWN", "naughty/never"],
    ["to where the session is", "ledger/steady", "a", "E_MOVE_REFUSED", "on a already"],
    ["of what is no session", "ledger", "b", "E_SESSION_KEY_INVALID", "kind/id"],
  ])("a move %s is refused by name", async (_, session, to, code, says) => {
    await expect(b.command({ command: "move", session, to })).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
  });

  test.each([
    ["an older version of the definition", "older", [{ ...naughty, version: 1 } as SessionDefinition]],
    ["no such definition", "without", []],
  ])("a session stays where it is when the target has %s", async (_, id, sessions) => {
    const client = await open(`to-${id}`);
    await client.call.add(1);
    const view = new Eye(cluster.directoryEndpoint);
    const up = new Set<string>();
    let connected = () => {};
    const bothUp = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const since = events.all.length;
    const node = await createNode({
      id,
      sessions,
      directory: view.directory,
      on: { peerUp: (peer) => up.add(peer).size === 2 && connected() },
    });
    try {
      await bothUp;
      await events.first((name, event) => name === "a" && event.type === "peerUp" && event.peer.startsWith(`${id}#`), since);
      await expect(move(`to-${id}`, id)).rejects.toMatchObject({ code: "E_MOVE_REFUSED" });
      expect(await client.call.add(1)).toBe(2);
      expect(await a.command({ command: "where", session: `naughty/to-${id}` })).toMatchObject({ owner: "a", heir: null });
    } finally {
      await node.close();
      await view.close();
    }
  });
});

test("all the while, the talking client lost nothing", async () => {
  expect(talker.statuses).toEqual([]);
  expect(await talker.finish()).toBeGreaterThan(300);
});
