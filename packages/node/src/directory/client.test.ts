import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createMemoryDirectoryStore } from "@sojourn/adapters/memory";
import {
  type Directory,
  type DirectoryStore,
  type Limits,
  type NodeInfo,
  type RecordDraft,
  resolveLimits,
  type SojournError,
} from "@sojourn/core";
import { Recorder, VirtualClock } from "@sojourn/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../system/clock.js";
import { systemCrc32 } from "../system/crc32.js";
import { createSystemRandom } from "../system/random.js";
import { connectDirectory } from "./client.js";
import { startDirectoryServer } from "./server.js";

const info: NodeInfo = { id: "a", place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false };
const draft: RecordDraft = {
  epoch: 1,
  owner: "a#1",
  inSync: [],
  heir: null,
  ended: false,
  strategy: "replica",
  stored: false,
  writer: "a#1/1",
};

/** A memory store whose appends wait while it is held. */
function heldStore() {
  const store = createMemoryDirectoryStore();
  let held: Promise<void> | undefined;
  let letGo = (): void => {};
  const asked = new Recorder<number>();
  return {
    asked,
    hold(): void {
      held = new Promise((resolve) => {
        letGo = resolve;
      });
    },
    release: () => letGo(),
    store: {
      load: () => store.load(),
      async append(changes) {
        asked.record(changes.length);
        await held;
        await store.append(changes);
      },
      close: () => store.close(),
    } satisfies DirectoryStore,
  };
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(options: { store?: DirectoryStore; limits?: Partial<Limits>; port?: number } = {}) {
  const problems = new Recorder<SojournError>();
  const server = await startDirectoryServer({
    listen: { host: "127.0.0.1", port: options.port ?? 0 },
    store: options.store ?? createMemoryDirectoryStore(),
    limits: resolveLimits(options.limits),
    clock: new VirtualClock(),
    crc32: systemCrc32,
    onProblem: problems.record,
  });
  cleanUps.push(() => server.close());
  return { server, problems, endpoint: server.endpoint, port: Number(server.endpoint.split(":")[1]) };
}

function client(endpoint: string, options: { clock?: VirtualClock; limits?: Partial<Limits> } = {}) {
  const problems = new Recorder<SojournError>();
  const directory: Directory = connectDirectory({
    endpoint,
    limits: resolveLimits({ directoryRetryMs: 1, ...options.limits }),
    clock: options.clock ?? createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
    onProblem: problems.record,
  });
  cleanUps.push(() => directory.close());
  return { directory, problems };
}

/** A TCP server that is no directory. */
async function stranger(onSocket: (socket: Socket) => void): Promise<{ server: Server; endpoint: string }> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => server.close());
  return { server, endpoint: `127.0.0.1:${(server.address() as { port: number }).port}` };
}

/** Sends bytes as a stranger and gives what came back until the server hung up. */
async function talk(port: number, bytes: Uint8Array): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(parts).toString("latin1");
}

describe("an answer that does not come", () => {
  test("without a connection: certainly not carried out", async () => {
    const clock = new VirtualClock();
    const { server, endpoint } = await stranger(() => {});
    server.close();
    const { directory } = client(endpoint, { clock, limits: { directoryTimeoutMs: 500 } });
    const asked = [directory.compareAndSet("r/1", 0, draft), directory.read("r/1"), directory.register(info, 1_000)];
    const settled = Promise.allSettled(asked);
    clock.advance(499);
    clock.advance(1);
    for (const one of await settled) expect(one).toMatchObject({ status: "rejected", reason: { code: "E_DIRECTORY_UNAVAILABLE" } });
  });

  test("in time: the outcome of a change is unknown, a read is merely unavailable", async () => {
    const clock = new VirtualClock();
    const held = heldStore();
    const { endpoint } = await serve({ store: held.store });
    const { directory } = client(endpoint, { clock, limits: { directoryTimeoutMs: 500 } });
    await Promise.all([directory.register(info, 1_000), Promise.resolve().then(() => clock.advance(0))]);
    held.hold();
    const write = directory.compareAndSet("r/1", 0, draft);
    const read = directory.read("r/1");
    await held.asked.until(() => held.asked.events.length === 2);
    const settled = Promise.allSettled([write, read]);
    clock.advance(500);
    expect(await settled).toMatchObject([
      { reason: { code: "E_DIRECTORY_UNKNOWN_OUTCOME" } },
      { reason: { code: "E_DIRECTORY_UNAVAILABLE" } },
    ]);
    // It was carried out after all; the late answer to the old request harms nobody.
    held.release();
    expect((await directory.read("r/1"))?.revision).toBe(1);
  });

  test("because the server is gone: a change is not sent again, a read and a renewal are", async () => {
    const held = heldStore();
    const first = await serve({ store: held.store });
    const { directory } = client(first.endpoint);
    const ref = await directory.register(info, 60_000);
    held.hold();
    const write = directory.compareAndSet("r/1", 0, draft);
    const read = directory.read("r/1");
    await held.asked.until(() => held.asked.events.length === 2);
    const failed = expect(write).rejects.toMatchObject({ code: "E_DIRECTORY_UNKNOWN_OUTCOME" });
    const aborted = first.server.abort();
    const renewal = directory.renew(ref);
    held.release();
    await aborted;
    await failed;
    await serve({ store: held.store, port: first.port });
    expect(await renewal).toBe("renewed");
    expect((await read)?.revision).toBe(1);
  });
});

describe("a failed store", () => {
  test("stops the server with E_DISK, and its clients know what they do not know", async () => {
    const store = createMemoryDirectoryStore();
    let fails = false;
    const { endpoint, problems } = await serve({
      store: { ...store, append: (changes) => (fails ? Promise.reject(new Error("no space left")) : store.append(changes)) },
    });
    const { directory } = client(endpoint);
    await directory.register(info, 60_000);
    fails = true;
    await expect(directory.compareAndSet("r/1", 0, draft)).rejects.toMatchObject({ code: "E_DIRECTORY_UNKNOWN_OUTCOME" });
    expect((await problems.until((e) => e.code === "E_DISK")).cause).toMatchObject({ message: "no space left" });
  });
});

describe("bad input", () => {
  test.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "E_FRAME_TOO_LARGE"],
    ["an empty frame", Buffer.from("00000000", "hex"), "E_FRAME_MALFORMED"],
    ["a frame that is too short", Buffer.from("0200000000ff", "hex"), "E_FRAME_MALFORMED"],
    ["a wrong checksum", frame("0c00", 1), "E_FRAME_CHECKSUM"],
    ["an unknown frame", frame("7f"), "E_FRAME_MALFORMED"],
    ["no hello", frame("0c00"), "E_FRAME_MALFORMED"],
    ["another magic", frame("01045858585801"), "E_FRAME_MALFORMED"],
    ["another version", frame("0104534a445202"), "E_PROTOCOL_VERSION"],
    ["one watch twice", Buffer.concat([frame("0104534a445201"), frame("0a09"), frame("0a09")]), "E_FRAME_MALFORMED"],
  ])("%s ends that connection by name and harms nothing else", async (_name, bytes, code) => {
    const { port, endpoint, problems } = await serve();
    const { directory } = client(endpoint);
    await directory.register(info, 60_000);
    expect(await talk(port, bytes)).toContain(code);
    await problems.until((e) => e.code === code);
    expect(await directory.compareAndSet("r/1", 0, draft)).toEqual({ outcome: "applied", revision: 1 });
  });

  test("a client that says nothing is sent away in time", async () => {
    const clock = new VirtualClock();
    const problems = new Recorder<SojournError>();
    const server = await startDirectoryServer({
      listen: { host: "127.0.0.1", port: 0 },
      store: createMemoryDirectoryStore(),
      limits: resolveLimits({ helloTimeoutMs: 700 }),
      clock,
      crc32: systemCrc32,
      onProblem: problems.record,
    });
    cleanUps.push(() => server.close());
    const port = Number(server.endpoint.split(":")[1]);
    const silent = connect(port, "127.0.0.1");
    await once(silent, "connect");
    // The server accepts in order: once it has answered the second, it has taken the first.
    expect(await talk(port, frame("7f"))).toContain("E_FRAME_MALFORMED");
    clock.advance(700);
    await once(silent, "close");
    await problems.until((e) => e.message === "no hello in time");
  });

  test("a request larger than a frame may be is refused where it is made", async () => {
    const { endpoint } = await serve();
    const { directory, problems } = client(endpoint);
    await directory.register(info, 60_000);
    const large = { ...draft, inSync: [`b#${"1".repeat(70_000)}`] };
    await expect(directory.compareAndSet("r/1", 0, large)).rejects.toMatchObject({ code: "E_FRAME_TOO_LARGE" });
    expect(await directory.read("r/1")).toBeNull();
    expect(problems.events).toEqual([]);
  });

  test("too many watches are refused by name, the others go on", async () => {
    const { endpoint } = await serve({ limits: { maxDirectoryWatches: 1 } });
    const { directory, problems } = client(endpoint);
    const seen = new Recorder<string>();
    directory.watchNodes((entry) => seen.record(entry.ref));
    directory.watchNodes((entry) => seen.record(entry.ref));
    await directory.register(info, 60_000);
    await problems.until((e) => e.code === "E_QUEUE_FULL");
    await seen.until((ref) => ref === "a#1");
  });

  test("an endpoint that is none is refused at once", () => {
    for (const endpoint of ["", "host", "host:", "host:0", "host:70000", "a:b:1"]) {
      expect(() => client(endpoint)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
    }
  });

  test("a port that is taken is E_CONFIG_INVALID", async () => {
    const { port } = await serve();
    await expect(serve({ port })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });

  test("a server that is none is left, and tried again", async () => {
    const sockets = new Recorder<Socket>();
    const { endpoint } = await stranger((socket) => {
      socket.on("error", () => {});
      socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      sockets.record(socket);
    });
    const { problems } = client(endpoint);
    await problems.until((e) => e.code === "E_FRAME_TOO_LARGE");
    await sockets.until(() => sockets.events.length > 1);
  });
});

describe("a connection", () => {
  test("that has fallen silent is given up and made again", async () => {
    const clock = new VirtualClock();
    const limits = { directoryTimeoutMs: 400 };
    const sockets = new Recorder<Socket>();
    const pings = new Recorder<string>();
    const { endpoint } = await stranger((socket) => {
      sockets.record(socket);
      let greeted = false;
      socket.on("data", (data) => {
        if (!greeted) socket.write(frame("0101"));
        greeted = true;
        if (data.includes(frame("0c00"))) pings.record("ping");
      });
      socket.on("error", () => {});
    });
    const { directory } = client(endpoint, { clock, limits });
    const welcomed = new Recorder<string>();
    // A request that is sent shows that the welcome has come.
    clock.advance(0);
    const first = await sockets.until(() => true);
    const asked = directory.read("r/1").catch((e: SojournError) => welcomed.record(e.code));
    await once(first, "data");
    await once(first, "data");
    clock.advance(400);
    await asked;
    await pings.until(() => true);
    clock.advance(400);
    await once(first, "close");
    clock.advance(400);
    await sockets.until((socket) => socket !== first);
  });

  test("carries renewals before everything else of the same tick", async () => {
    const order = new Recorder<Buffer>();
    const { endpoint } = await stranger((socket) => {
      let all = Buffer.alloc(0);
      let greeted = false;
      socket.on("error", () => {});
      socket.on("data", (data) => {
        if (!greeted) {
          greeted = true;
          socket.write(frame("0101"));
          return;
        }
        all = Buffer.concat([all, data]);
        if (all.includes("r/last") && all.includes("node#1")) order.record(all);
      });
    });
    const { directory } = client(endpoint);
    const ignored = [directory.read("r/first"), directory.read("r/last"), directory.renew("node#1")];
    for (const one of ignored) one.catch(() => {});
    const all = await order.until(() => true);
    expect(all.indexOf("node#1")).toBeLessThan(all.indexOf("r/first"));
  });

  test("of a listener that throws goes on, and the defect is reported", async () => {
    const { endpoint } = await serve();
    const { directory, problems } = client(endpoint);
    directory.watchNodes(() => {
      throw new Error("my listener");
    });
    await directory.register(info, 60_000);
    expect((await problems.until((e) => e.code === "E_INTERNAL")).cause).toMatchObject({ message: "my listener" });
    expect(await directory.read("r/1")).toBeNull();
  });

  test("with more requests than a server takes at once is slowed, not refused", async () => {
    const { endpoint } = await serve({ limits: { maxDirectoryRequests: 4 } });
    const { directory } = client(endpoint);
    const ref = await directory.register(info, 60_000);
    const keys = Array.from({ length: 500 }, (_, i) => `r/${i}`);
    const outcomes = await Promise.all(keys.map((key) => directory.compareAndSet(key, 0, draft)));
    expect(outcomes.every((o) => o.outcome === "applied")).toBe(true);
    expect((await directory.listRecords(ref)).size).toBe(500);
  });

  test("with more requests than a client may have under way is refused, certainly not carried out", async () => {
    const { endpoint } = await serve();
    const { directory } = client(endpoint, { limits: { maxDirectoryRequests: 2 } });
    const settled = await Promise.allSettled([directory.read("r/1"), directory.read("r/2"), directory.read("r/3")]);
    expect(settled.map((s) => s.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(settled[2]).toMatchObject({ reason: { code: "E_DIRECTORY_UNAVAILABLE" } });
  });
});

test("a node in the server's process shares its directory without a socket", async () => {
  const { server, endpoint } = await serve();
  const local = server.local();
  const { directory } = client(endpoint);
  await local.register(info, 60_000);
  await directory.compareAndSet("r/1", 0, draft);
  expect((await local.read("r/1"))?.revision).toBe(1);
});

/** A frame with its length and checksum; `wrong` is added to the checksum. */
function frame(hex: string, wrong = 0): Buffer {
  const body = Buffer.from(hex, "hex");
  const head = Buffer.alloc(8);
  head.writeUInt32LE(body.length + 4, 0);
  head.writeUInt32LE((systemCrc32(body) + wrong) >>> 0, 4);
  return Buffer.concat([head, body]);
}
