import type { AddressInfo } from "node:net";
import { action, ByteWriter, type ClientFrame, decodeClientFrame, defineSession, encodeClientFrame } from "@sojourn/core";
import { afterEach, expect, expectTypeOf, test, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { connect as connectAnywhere } from "./connect.js";
import { connect } from "./node.js";

const servers: WebSocketServer[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A node that welcomes everybody and answers each call with its own argument. */
async function echoNode(react: (socket: WebSocket, frame: ClientFrame) => void = () => {}): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  const endpoint = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let lastIn = 0;
  server.on("connection", (socket) => {
    const send = (frame: ClientFrame) => socket.send(encodeClientFrame(new ByteWriter(), frame));
    socket.on("message", (data) => {
      const frame = decodeClientFrame(new Uint8Array(data as Buffer));
      if (frame.t === "hello") {
        const rest = {
          generation: 1,
          recovered: lastIn > 0,
          reason: null,
          lostOutputs: 0,
          lostInputs: 0,
          owner: "a",
          endpoint,
          heartbeatMs: 15_000,
        };
        send({ t: "welcome", protocol: 1, epoch: 1, lastIn, nextOut: frame.lastOut + 1, ...rest });
      } else if (frame.t === "input" && frame.seq === lastIn + 1) {
        lastIn = frame.seq;
        send({ t: "output", epoch: 1, seq: lastIn, ack: lastIn, kind: "reply", answers: lastIn, name: "", payload: frame.payload });
      }
      react(socket, frame);
    });
  });
  return endpoint;
}

test("over real WebSockets: calls, a broken socket, a text message, goodbye", async () => {
  const sockets: WebSocket[] = [];
  let joined: () => void = () => {};
  let left: () => void = () => {};
  const bye = new Promise<void>((resolve) => {
    left = resolve;
  });
  const endpoint = await echoNode((socket, frame) => {
    if (frame.t === "hello") {
      sockets.push(socket);
      joined();
    }
    if (frame.t === "bye") left();
  });
  const client = await connect({ endpoints: [endpoint], session: "room/1", limits: { reconnectMinMs: 1 } });
  expect(await client.call.echo?.({ at: new Date(7), map: new Map([[1, "x"]]) })).toEqual({ at: new Date(7), map: new Map([[1, "x"]]) });
  sockets[0]?.terminate();
  expect(await client.call.echo?.(2)).toBe(2);
  const again = new Promise<void>((resolve) => {
    joined = resolve;
  });
  sockets[1]?.send("text");
  await again;
  expect(await client.call.echo?.(3)).toBe(3);
  expect(client.stats()).toMatchObject({ unackedInputs: 0, openCalls: 0 });
  client.close();
  await bye;
});

test("uses the runtime's own WebSocket where there is one, and says what to do where there is none", async () => {
  const endpoint = await echoNode();
  vi.stubGlobal("WebSocket", undefined);
  await expect(connectAnywhere({ endpoints: [endpoint], session: "room/1" })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  vi.stubGlobal("WebSocket", (await import("ws")).WebSocket);
  const client = await connectAnywhere({ endpoints: [endpoint], session: "room/1" });
  expect(await client.call.echo?.(1)).toBe(1);
  client.close();
});

test("a node that cannot be reached ends in E_CONNECT_FAILED, and so does a factory that throws", async () => {
  const limits = { connectTimeoutMs: 150, reconnectMinMs: 10 };
  await expect(connect({ endpoints: ["ws://127.0.0.1:1"], session: "room/1", limits })).rejects.toMatchObject({ code: "E_CONNECT_FAILED" });
  const webSocket = vi.fn(() => {
    throw new SyntaxError("not allowed on this page");
  });
  await expect(connect({ endpoints: ["ws://x"], session: "room/1", limits, webSocket })).rejects.toMatchObject({
    code: "E_CONNECT_FAILED",
  });
  expect(webSocket.mock.calls.length).toBeGreaterThan(1);
});

test("the client is typed from the definition", () => {
  const room = defineSession({
    name: "room",
    version: 1,
    state: () => ({ count: 0 }),
    events: {} as { moved: { id: string } },
    actions: {
      reset: action(null, () => "done" as const),
    },
  });
  const check = async (client: Awaited<ReturnType<typeof connect<typeof room>>>) => {
    expectTypeOf(client.call.reset()).toEqualTypeOf<Promise<"done">>();
    client.on("moved", ({ id }) => expectTypeOf(id).toEqualTypeOf<string>());
    client.on("handover", ({ blackoutMs }) => expectTypeOf(blackoutMs).toEqualTypeOf<number>());
    // @ts-expect-error no such action
    client.call.nothing();
    // @ts-expect-error no such event
    client.on("nothing", () => {});
  };
  expect(check).toBeTypeOf("function");
});
